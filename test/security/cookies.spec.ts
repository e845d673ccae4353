import { describe, expect, it } from '@jest/globals';
import { ProxyHarness, type HarnessOptions } from '../support/proxy-harness.js';
import { RawClient } from '../support/raw-client.js';
import { StubUpstream } from '../support/stub-upstream.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

async function forwarded(lines: string, options: HarnessOptions = {}): Promise<string> {
  await using upstream = await StubUpstream.start(OK);
  await using proxy = await ProxyHarness.start(upstream, options);
  await RawClient.exchange(proxy.port, `GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n\r\n`);
  return upstream.received;
}

async function answered(lines: string): Promise<string> {
  await using upstream = await StubUpstream.start(
    `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${lines}\r\n\r\nok`,
  );
  await using proxy = await ProxyHarness.start(upstream);
  return await RawClient.exchange(proxy.port, 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
}

describe('The gateway’s credentials never reach a slice', () => {
  it.each([
    'Cookie: session=SECRET',
    'Cookie: a=1; session=SECRET; b=2',
    'Cookie: a=1;session=SECRET;b=2',
    'Cookie: a=1; session = SECRET',
    'Cookie: a=1\r\nCookie: session=SECRET\r\nCookie: b=2',
    'Cookie: session=SECRET; session=SECRET',
    'Cookie: __Host-session=SECRET; __Secure-session=SECRET; __HOST-session=SECRET',
    'Cookie: a="; session=SECRET; b="',
    'cOOKIE: session=SECRET',
    'X-Admin-Key: SECRET',
    'x_admin_key: SECRET',
    'Authorization: Bearer slu_SECRET',
    'authorization: bearer   slu_SECRET ',
    'Authorization: Bearer\tslu_SECRET',
    'Authorization: Basic eA==\r\nAuthorization: Bearer slu_SECRET',
  ])('%j', async (lines) => {
    const seen = await forwarded(lines);
    expect(seen).toContain('GET /x');
    expect(seen).not.toContain('SECRET');
  });

  it('the application’s own cookies stay word for word', async () => {
    const seen = await forwarded('Cookie: a=1; session=SECRET; mysession=2; session2=3;  odd ; b="x y"');
    expect(seen).toContain('\r\nCookie: a=1; mysession=2; session2=3;  odd ; b="x y"\r\n');
  });

  it('the application’s own Authorization stays, unless the route keeps it back', async () => {
    expect(await forwarded('Authorization: Bearer app')).toContain('Authorization: Bearer app');
    expect(await forwarded('Authorization: Bearer app', { forwardAuthorization: false })).not.toContain(
      'Bearer',
    );
  });
});

describe('A slice can not act on the gateway’s origin', () => {
  it.each([
    'Set-Cookie: session=EVIL; Path=/',
    'Set-Cookie:  session =EVIL',
    'Set-Cookie: =session=EVIL',
    'Set-Cookie: __Host-session=EVIL; Secure; Path=/',
    'Set-Cookie: __secure-session=EVIL; Secure',
    'set-cookie: a=1\r\nSET-COOKIE: session=EVIL',
    'Clear-Site-Data: "EVIL"',
    'Alt-Svc: h3="EVIL:443"',
    'Strict-Transport-Security: max-age=0; EVIL',
    'Service-Worker-Allowed: /EVIL',
    'NEL: {"report_to":"EVIL"}',
    'Report-To: {"group":"EVIL"}',
    'Reporting-Endpoints: default="https://EVIL"',
    'Accept-CH: EVIL',
    'Origin-Agent-Cluster: ?0;EVIL',
  ])('by %j', async (lines) => {
    const answer = await answered(lines);
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
    expect(answer).not.toContain('EVIL');
  });

  it('its own cookies stay', async () => {
    const answer = await answered(
      'Set-Cookie: a=session; Path=/\r\nSet-Cookie: b=2\r\nSet-Cookie: mysession=3',
    );
    expect(answer.match(/set-cookie: .*/gi)).toEqual([
      'set-cookie: a=session; Path=/',
      'set-cookie: b=2',
      'set-cookie: mysession=3',
    ]);
  });

  it('the security headers it set stay as they are, the others are added', async () => {
    const answer = await answered("X-Frame-Options: DENY\r\nContent-Security-Policy: default-src 'none'");
    expect(answer.match(/x-frame-options: .*/gi)).toEqual(['x-frame-options: DENY']);
    expect(answer.match(/content-security-policy: .*/gi)).toEqual([
      "content-security-policy: default-src 'none'",
    ]);
    expect(answer).toContain('Cross-Origin-Resource-Policy: same-site');
    expect(answer).toContain('Cross-Origin-Opener-Policy: same-origin');
    expect(answer).toMatch(/\r\nX-Request-Id: [\w-]{36}\r\n/);
  });
});
