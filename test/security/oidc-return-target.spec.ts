import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { locationOf, OidcBrowser } from '../support/oidc-browser.js';
import { OidcWorld } from '../support/oidc-world.js';
import { sendRaw } from '../support/contract-answer.js';

const FRONTEND = 'https://app.example.com';
const ALLOWED = [FRONTEND, 'https://app.example.com:8443'];

/** Open redirects: nobody is sent off the allowed origins, whatever the query and the headers of a request say. */
describe('where a sign-in returns to', () => {
  let world: OidcWorld;
  beforeAll(async () => {
    world = await OidcWorld.start({ env: { ALLOWED_ORIGINS: ALLOWED.join(',') } });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const login = (query: string, headers: Record<string, string> = {}) =>
    sendRaw(world.app.url, { method: 'GET', path: `/auth/login${query}`, headers });

  async function refused(query: string, headers: Record<string, string>, field: string): Promise<void> {
    const { status, text, headers: answered } = await login(query, headers);
    expect({ status, body: JSON.parse(text) }).toMatchObject({
      status: 400,
      body: { code: 'VALIDATION_FAILED', details: [{ path: field }] },
    });
    expect(answered).not.toHaveProperty('location');
    expect(answered).not.toHaveProperty('set-cookie');
  }

  it.each([
    ['//evil.example', '//evil.example'],
    ['encoded //', '%2F%2Fevil.example'],
    ['/\\', '/\\evil.example'],
    ['encoded /\\', '%2F%5Cevil.example'],
    ['\\\\', '%5C%5Cevil.example'],
    ['a tab', '/%09/evil.example'],
    ['a newline', '/%0A/evil.example'],
    ['CR LF and a header', '/%0D%0ASet-Cookie:%20session=x'],
    ['a tab before', '%09//evil.example'],
    ['a blank before', '%20//evil.example'],
    ['NUL', '/%00'],
    ['C1 control', '/%C2%85/evil.example'],
    ['javascript:', 'javascript:alert(1)'],
    ['data:', 'data:text/html,x'],
    ['https:', 'https://evil.example/'],
    ['userinfo', '@evil.example'],
    ['a suffix of the host', '.evil.example'],
    ['a port', ':1/'],
    ['nothing', ''],
    ['too much', `/${'a'.repeat(3000)}`],
  ])('is no next with %s', (_name, next) => refused(`?next=${next}`, {}, 'next'));

  it.each([
    ['another host', 'https://evil.example'],
    ['a sub-domain look-alike', 'https://app.example.com.evil.example'],
    ['a prefix look-alike', 'https://evil-app.example.com'],
    ['a sub-domain', 'https://x.app.example.com'],
    ['userinfo in the host', 'https://app.example.com@evil.example'],
    ['a password in the host', 'https://app.example.com:443@evil.example'],
    ['another scheme', 'http://app.example.com'],
    ['javascript:', 'javascript://app.example.com/%250aalert(1)'],
    ['another port', 'https://app.example.com:444'],
    ['a path', 'https://app.example.com/../evil'],
    ['a backslash', 'https://app.example.com\\.evil.example'],
    ['a tab', 'https://app.example.com%09.evil.example'],
    ['a newline', 'https://app.example.com%0A'],
    ['a fragment', 'https://evil.example%23@app.example.com'],
    ['no scheme', '//app.example.com'],
    ['a trailing dot', 'https://app.example.com.'],
    ['null', 'null'],
    ['nothing', ''],
  ])('is no frontend_host with %s', (_name, host) => refused(`?frontend_host=${host}`, {}, 'frontend_host'));

  it.each([
    ['next', '?next=/a&next=/b'],
    ['next', '?next=/a&next=//evil.example'],
    ['frontend_host', `?frontend_host=${FRONTEND}&frontend_host=https://evil.example`],
    ['frontend_host', `?frontend_host=${FRONTEND}&frontend_host=${FRONTEND}`],
  ])('is not said twice: %s in %s', (field, query) => refused(query, {}, field));

  it.each([
    ['Origin', { origin: 'https://evil.example' }],
    ['Origin null', { origin: 'null' }],
    ['Referer', { referer: 'https://evil.example/page' }],
    ['a Referer with userinfo', { referer: 'https://app.example.com@evil.example/' }],
    ['a Referer that is none', { referer: 'nonsense' }],
    ['Origin, whatever the Referer', { origin: 'https://evil.example', referer: `${FRONTEND}/` }],
  ])('is not another page by its %s', (_name, headers) => refused('?next=/x', headers, 'frontend_host'));

  it('is none that the host header names', async () => {
    const { headers } = await login('', { host: 'evil.example' });
    expect(new URL(String(headers.location)).origin).toBe(world.provider.issuer);
    expect(new URL(String(headers.location)).searchParams.get('redirect_uri')).toBe(world.callback);
  });

  it.each([
    ['frontend_host', `?frontend_host=${FRONTEND}&next=/a`, {}, `${FRONTEND}/a`],
    ['frontend_host with a port', `?frontend_host=${ALLOWED[1]}`, {}, `${ALLOWED[1]}/`],
    ['Origin', '?next=/a', { origin: FRONTEND }, `${FRONTEND}/a`],
    ['Referer', '?next=/a', { referer: `${FRONTEND}/deep/page?x#y` }, `${FRONTEND}/a`],
    [
      'an encoded tab, which is none',
      '?next=/%2509/evil.example',
      { origin: FRONTEND },
      `${FRONTEND}/%09/evil.example`,
    ],
    [
      'a path with // inside',
      `?next=/.//evil.example&frontend_host=${FRONTEND}`,
      {},
      `${FRONTEND}//evil.example`,
    ],
  ])('is what is allowed, by %s', async (_name, query, headers, target) => {
    const browser = new OidcBrowser();
    const { subject } = world.person();
    const page = await browser.open(`${world.app.url}/auth/login${query}`, { headers });
    const callback = await browser.signInAt(page, world.callback, subject);
    expect(locationOf(await browser.open(callback))).toBe(target);
  });
});
