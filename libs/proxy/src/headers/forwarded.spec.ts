import { describe, expect, it } from '@jest/globals';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { addForwarded } from './forwarded.js';

/** What an upstream is told as `X-Forwarded-Proto`, where the client (or the proxy in front) sent these lines of it. */
function protocolTold(lines: readonly string[], trusted: boolean, encrypted = false): string | undefined {
  const req = new IncomingMessage(Object.assign(new Socket(), { encrypted }));
  // As Node joins the lines of a field that it does not know.
  if (lines.length > 0) req.headers['x-forwarded-proto'] = lines.join(', ');
  const out: string[] = [];
  addForwarded(out, req, trusted);
  return out[out.indexOf('x-forwarded-proto') + 1];
}

describe('the protocol that an upstream is told', () => {
  it.each([
    [['https'], 'https'],
    [['http'], 'http'],
    [['https, https'], 'https'],
    [['https,http'], 'https'],
    [['https , http'], 'https'],
    [['https', 'http'], 'https'],
    [['http, https'], 'http'],
    [[' HTTPS '], 'https'],
    [[], 'http'],
    [[''], 'http'],
    [[', https'], 'http'],
    [['wss, https'], 'http'],
    [['httpsx'], 'http'],
    [['https https'], 'http'],
  ])('is, from %j of a trusted proxy, %s', (lines, told) => {
    expect(protocolTold(lines, true)).toBe(told);
  });

  it.each([[['https']], [['https, http']]])('is not what a stranger says: %j', (lines) => {
    expect(protocolTold(lines, false)).toBe('http');
  });

  it('is the one spoken here, where nobody says any other', () => {
    expect(protocolTold([], true, true)).toBe('https');
    expect(protocolTold(['ftp'], true, true)).toBe('https');
    expect(protocolTold(['http'], false, true)).toBe('https');
  });
});
