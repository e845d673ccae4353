import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { TrustProxy } from '#common';
import { GatewayCookies } from './cookies.js';
import { RequestHeaders } from './request-headers.js';
import { Via } from './via.js';

const headers = new RequestHeaders({
  cookies: new GatewayCookies(['session']),
  trustProxy: new TrustProxy([]),
  credentialHeaders: ['x-admin-key'],
  adminKey: 'the-admin-key-of-the-operator',
  isGatewayToken: (token) => token.startsWith('slu_'),
  via: new Via('0123abcd'),
});

/** The Authorization lines that the upstream gets of these. */
function forwarded(values: readonly string[], forwardAuthorization: boolean): string[] {
  const rawHeaders = values.flatMap((value) => ['Authorization', value]);
  const req = { rawHeaders, headers: {}, socket: {}, httpVersion: '1.1' } as unknown as IncomingMessage;
  const lines = headers.forUpstream(req, { identity: [], requestId: 'id', forwardAuthorization, host: null });
  return lines.filter((_value, i) => lines[i - 1] === 'Authorization');
}

describe('Authorization', () => {
  it('of the application passes, the gateway’s own tokens do not', () => {
    expect(forwarded(['Bearer app', 'Bearer slu_key', 'bearer \t slu_key', 'Basic eA=='], true)).toEqual([
      'Bearer app',
      'Basic eA==',
    ]);
  });

  it('never passes where the route keeps it back', () => {
    expect(forwarded(['Bearer app', 'Basic eA=='], false)).toEqual([]);
  });
});
