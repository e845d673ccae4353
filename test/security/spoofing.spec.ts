import { describe, expect, it } from '@jest/globals';
import { ProxyHarness, type HarnessOptions } from '../support/proxy-harness.js';
import { RawClient } from '../support/raw-client.js';
import { StubUpstream } from '../support/stub-upstream.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** The lines an upstream gets of a request with these header lines. */
async function seenByUpstream(
  lines: readonly string[],
  options: HarnessOptions = {},
  body = '',
): Promise<string[]> {
  await using upstream = await StubUpstream.start(OK);
  await using proxy = await ProxyHarness.start(upstream, options);
  const method = body === '' ? 'GET' : 'POST';
  const close = lines.some((line) => line.startsWith('Connection')) ? [] : ['Connection: close'];
  using client = await RawClient.connect(proxy.port);
  client.write([`${method} /x HTTP/1.1`, 'Host: a', ...close, ...lines, '', body].join('\r\n'));
  await client.until('\r\n\r\nok');
  return upstream.received.split('\r\n');
}

function valuesOf(lines: readonly string[], name: string): string[] {
  return lines.flatMap((line) => {
    const [key = '', value = ''] = line.split(/:\s*/, 2);
    return key.toLowerCase().replaceAll('_', '-') === name ? [value] : [];
  });
}

const TRUE_VALUES = {
  'x-user-email': ['ada@example.com'],
  'x-user-sub': ['user-1'],
  'x-user-name': ['Ada'],
  'x-gateway-route': [],
};

describe('Nobody can speak in another’s name to a slice', () => {
  it.each([
    [
      'by plain headers',
      ['x-user-email: eve@x', 'x-user-sub: eve', 'x-user-name: Eve', 'x-gateway-route: admin'],
      '',
    ],
    [
      'in another case',
      ['X-USER-EMAIL: eve@x', 'X-User-Sub: eve', 'X-uSER-nAME: Eve', 'X-Gateway-ROUTE: admin'],
      '',
    ],
    [
      'with underscores',
      ['x_user_email: eve@x', 'X_User-Sub: eve', 'x-user_name: Eve', 'x_gateway_route: admin'],
      '',
    ],
    ['by duplicates', ['x-user-email: ada@example.com', 'x-user-email: eve@x', 'X-User-Email: eve@x'], ''],
    [
      'by listing the true ones in Connection',
      ['Connection: close, x-user-email, x-user-sub, x-user-name'],
      '',
    ],
    ['by listing forged ones in Connection', ['Connection: close, X-User-Email', 'x-user-email: eve@x'], ''],
    [
      'in trailers',
      ['Transfer-Encoding: chunked', 'Trailer: x-user-email'],
      '2\r\nhi\r\n0\r\nx-user-email: eve@x\r\nX-User-Sub: eve\r\n\r\n',
    ],
    [
      'under Expect: 100-continue',
      ['Expect: 100-continue', 'Content-Length: 2', 'x-user-email: eve@x', 'X-User-Sub: eve'],
      'hi',
    ],
  ])('%s', async (_name, lines, body) => {
    const seen = await seenByUpstream(lines, {}, body);
    for (const [name, values] of Object.entries(TRUE_VALUES)) expect(valuesOf(seen, name)).toEqual(values);
    expect(seen.join('\n')).not.toMatch(/eve|admin/i);
  });

  it('by a name that needs a line of its own: what is not ASCII is percent-encoded', async () => {
    const seen = await seenByUpstream([], {
      identity: { name: 'Zoë\r\nx-user-sub: root', email: '100%@ü.de' },
    });
    expect(valuesOf(seen, 'x-user-name')).toEqual(['Zo%C3%AB%0D%0Ax-user-sub']);
    expect(seen).toContain('x-user-name: Zo%C3%AB%0D%0Ax-user-sub: root');
    expect(valuesOf(seen, 'x-user-sub')).toEqual([]);
    expect(valuesOf(seen, 'x-user-email')).toEqual(['100%25@%C3%BC.de']);
  });
});

describe('Where a request comes from', () => {
  const CLAIMS = [
    'X-Forwarded-For: 1.2.3.4',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: evil',
    'X-Forwarded-Port: 443',
    'x_forwarded_for: 1.2.3.4',
    'X-Real-IP: 1.2.3.4',
    'Forwarded: for=1.2.3.4',
  ];

  it('is told by the socket, whatever a stranger claims', async () => {
    const seen = await seenByUpstream(CLAIMS);
    expect(valuesOf(seen, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(valuesOf(seen, 'x-forwarded-proto')).toEqual(['http']);
    expect(valuesOf(seen, 'x-forwarded-host')).toEqual(['a']);
    expect(seen.join('\n')).not.toMatch(/1\.2\.3\.4|evil|443/);
  });

  it('is continued for a trusted proxy', async () => {
    const seen = await seenByUpstream(CLAIMS, { trustProxy: ['127.0.0.0/8'] });
    expect(valuesOf(seen, 'x-forwarded-for')).toEqual(['1.2.3.4, 127.0.0.1']);
    expect(valuesOf(seen, 'x-forwarded-proto')).toEqual(['https']);
    expect(valuesOf(seen, 'x-forwarded-host')).toEqual(['evil']);
    expect(valuesOf(seen, 'x-real-ip')).toEqual(['1.2.3.4']);
    expect(valuesOf(seen, 'forwarded')).toEqual([]);
  });
});

describe('What is the application’s own', () => {
  it('keeps its order, case and duplicates', async () => {
    const own = ['X-B: 1', 'x-A: 2', 'X-B: 3', 'Accept: */*'];
    const seen = await seenByUpstream(own);
    expect(seen.filter((line) => /^(?:x-[ab]|accept):/i.test(line))).toEqual(own);
  });

  it('passes with the request id, a Via, and nothing of the connection', async () => {
    const seen = await seenByUpstream([
      'Connection: close, X-Hop',
      'X-Hop: 1',
      'Keep-Alive: timeout=1',
      'TE: trailers',
      'Proxy-Authorization: x',
    ]);
    expect(valuesOf(seen, 'via')).toEqual(['1.1 sluice']);
    expect(valuesOf(seen, 'te')).toEqual(['trailers']);
    expect(valuesOf(seen, 'x-request-id')).toHaveLength(1);
    expect(seen.join('\n').toLowerCase()).not.toMatch(/x-hop|keep-alive:|proxy-authorization/);
  });

  it('Host and Content-Length can’t be taken away by listing them in Connection', async () => {
    const seen = await seenByUpstream(
      ['Connection: close, host, content-length', 'Content-Length: 2'],
      {},
      'hi',
    );
    expect(valuesOf(seen, 'host')).toEqual(['a']);
    expect(valuesOf(seen, 'content-length')).toEqual(['2']);
  });
});
