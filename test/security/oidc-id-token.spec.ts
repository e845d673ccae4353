import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { exportSPKI, generateKeyPair, type JWTPayload } from 'jose';
import type { ServerResponse } from 'node:http';
import { DataSource } from 'typeorm';
import { Session } from '#database';
import { AuthApp } from '../support/auth-app.js';
import { locationOf, OidcBrowser, type Page } from '../support/oidc-browser.js';
import { HostileProvider, json } from '../support/oidc-hostile.js';
import { CLIENT_SECRET } from '../support/oidc-provider.js';
import { OidcWorld } from '../support/oidc-world.js';
import { RecordingLogger } from '../support/recording-logger.js';

const HOUR = 3600;
const MAX_AGE = 600;

/** ID tokens that are not what they should be (OpenID Connect Core §3.1.3.7, RFC 8725). */
describe('an ID token', () => {
  const log = new RecordingLogger();
  let provider: HostileProvider;
  let app: AuthApp;
  beforeAll(async () => {
    provider = await HostileProvider.start();
    app = await OidcWorld.startApp(provider, {
      env: { ID_TOKEN_MAX_AGE_SECONDS: String(MAX_AGE) },
      configure: (nest) => nest.useLogger(log),
    });
  });
  afterAll(async () => {
    await app[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    log.lines.length = 0;
  });

  /** Signs in: the browser comes back with a code that the provider redeems as the test has laid down. */
  async function signIn(): Promise<Page> {
    const browser = new OidcBrowser();
    const asked = new URL(locationOf(await browser.open(`${app.url}/auth/login`))).searchParams;
    provider.nonce = asked.get('nonce') ?? '';
    return browser.open(`${app.url}/auth/callback?code=the-code&state=${asked.get('state')}`);
  }

  async function refused(reason: string): Promise<void> {
    const before = await app.get(DataSource).getRepository(Session).count();
    const page = await signIn();
    expect({ status: page.status, body: JSON.parse(page.text) }).toMatchObject({
      status: 502,
      body: { code: 'OIDC_PROVIDER_FAILED', error: 'oidc_provider_failed' },
    });
    expect(page.headers.getSetCookie()).toEqual([]);
    expect(await app.get(DataSource).getRepository(Session).count()).toBe(before);
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]).toContain(`reason: '${reason}`);
    expect(log.lines[0]).not.toMatch(/eyJ|the access token|the refresh token|the-code|ada@/);
  }

  it('that is right signs in', async () => {
    provider.answerWith(() => provider.sign());
    expect((await signIn()).status).toBe(302);
    expect(log.lines).toEqual([]);
  });

  it.each<[string, string, () => JWTPayload]>([
    ['of another issuer', 'iss', () => ({ iss: 'https://evil.example' })],
    ['of the issuer with a slash', 'iss', () => ({ iss: `${provider.issuer}/` })],
    ['without an issuer', 'iss', () => ({ iss: undefined })],
    ['for another client', 'aud', () => ({ aud: 'another' })],
    ['for nobody', 'aud', () => ({ aud: [] })],
    ['for another client as well, without saying who asked', 'aud', () => ({ aud: ['sluice', 'another'] })],
    ['that another client asked for', 'azp', () => ({ aud: ['sluice', 'another'], azp: 'another' })],
    ['without an audience', 'aud', () => ({ aud: undefined })],
    ['of another sign-in', 'nonce', () => ({ nonce: 'another' })],
    ['without a nonce', 'nonce', () => ({ nonce: undefined })],
    ['that has expired', 'exp', () => ({ exp: now() - 60 })],
    ['without an end', 'exp', () => ({ exp: undefined })],
    ['with an end that is no number', 'exp', () => ({ exp: '9999999999' as unknown as number })],
    ['that is older than allowed', 'iat', () => ({ iat: now() - MAX_AGE - 60 })],
    ['from the future', 'iat', () => ({ iat: now() + HOUR })],
    ['without its time', 'iat', () => ({ iat: undefined })],
    ['that is not valid yet', 'nbf', () => ({ nbf: now() + HOUR })],
    ['of nobody', 'sub', () => ({ sub: undefined })],
    ['of somebody with an endless name', 'sub', () => ({ sub: 'a'.repeat(256) })],
  ])('%s is refused: %s', async (_what, check, claims) => {
    provider.answerWith(() => provider.sign(provider.claims(claims())));
    await refused(`ID token refused: ${check}`);
  });

  it('that is not signed is refused, though the provider says that it signs with none', async () => {
    provider.answerWith(() => `${encoded({ alg: 'none' })}.${encoded(provider.claims())}.`);
    await refused('ID token refused: alg');
  });

  it('with a MAC under the public key is refused', async () => {
    const pem = new TextEncoder().encode(await exportSPKI(provider.publicKey));
    provider.answerWith(() => provider.sign(provider.claims(), pem, { alg: 'HS256' }));
    await refused('ID token refused: alg');
  });

  it('with a MAC under the client secret is refused', async () => {
    const secret = new TextEncoder().encode(CLIENT_SECRET);
    provider.answerWith(() => provider.sign(provider.claims(), secret, { alg: 'HS256' }));
    await refused('ID token refused: alg');
  });

  it('signed in a way that the provider does not announce is refused', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    provider.answerWith(() => provider.sign(provider.claims(), privateKey, { alg: 'ES256' }));
    await refused('ID token refused: alg');
  });

  it('with an extension that must be understood is refused', async () => {
    provider.answerWith(() => provider.sign(provider.claims(), provider.key, { crit: ['b64'], b64: true }));
    await refused('ID token refused: alg');
  });

  it('of an unknown key is refused', async () => {
    provider.answerWith(() => provider.sign(provider.claims(), provider.key, { kid: 'another' }));
    await refused('ID token refused: kid');
  });

  it("with another key's signature is refused, whatever key it brings along", async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = await crypto.subtle.exportKey('jwk', publicKey);
    provider.answerWith(() => provider.sign(provider.claims(), privateKey));
    await refused('ID token refused: signature');
    log.lines.length = 0;
    provider.answerWith(() =>
      provider.sign(provider.claims(), privateKey, { kid: undefined, jwk, jku: 'https://evil.example/jwks' }),
    );
    await refused('ID token refused: signature');
  });

  it('that was changed is refused', async () => {
    provider.answerWith(async () => {
      const [header, , signature] = (await provider.sign()).split('.');
      return `${header}.${encoded(provider.claims({ sub: 'admin' }))}.${signature}`;
    });
    await refused('ID token refused: signature');
  });

  it('has to be there', async () => {
    provider.answerWith(async () => undefined);
    await refused('ID token refused: presence');
  });

  it.each(['', 'a', 'a.b', 'a.b.c', 'a.b.c.d.e', '...'])('that is none is refused: %j', async (token) => {
    provider.answerWith(() => token);
    await refused('');
  });
});

describe('the token endpoint', () => {
  const log = new RecordingLogger();
  let provider: HostileProvider;
  let app: AuthApp;
  beforeAll(async () => {
    provider = await HostileProvider.start();
    app = await OidcWorld.startApp(provider, { configure: (nest) => nest.useLogger(log) });
  });
  afterAll(async () => {
    await app[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  });

  it.each<[string, HostileProvider['tokens']]>([
    ['answers 500', (res) => void res.writeHead(500).end('Internal error')],
    ['refuses the code', (res) => json(res, { error: 'invalid_grant' }, 400)],
    ['does not know our secret', (res) => json(res, { error: 'invalid_client' }, 401)],
    ['says what no log can bear', (res) => json(res, { error: 'x\n\u001b[31mforged line' }, 400)],
    [
      'answers a page',
      (res) => void res.writeHead(200, { 'content-type': 'text/html' }).end('<p>hi eyJ</p>'),
    ],
    ['answers no object', (res) => json(res, [])],
    ['redirects', (res) => void res.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    ['hangs up', (res) => void res.destroy()],
    ['answers without end', (res) => flood(res)],
    ['never answers', () => undefined],
  ])('that %s signs nobody in', async (_what, answer) => {
    provider.tokens = answer;
    log.lines.length = 0;
    const browser = new OidcBrowser();
    const asked = new URL(locationOf(await browser.open(`${app.url}/auth/login`))).searchParams;
    const page = await browser.open(`${app.url}/auth/callback?code=x&state=${asked.get('state')}`);
    expect(page.status).toBe(502);
    expect(page.headers.getSetCookie()).toEqual([]);
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]).toContain("reason: 'code exchange: ");
    expect(log.lines[0]).not.toMatch(/eyJ|forged line/);
  });
});

/** In seconds since the epoch. */
function now(): number {
  return Math.floor(Date.now() / 1000);
}

/** A part of a JWT (RFC 7515 §3.1). */
function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A body without an end. */
function flood(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'application/json' });
  const chunk = 'x'.repeat(64 * 1024);
  const more = (): void => {
    while (!res.destroyed && res.write(chunk));
  };
  res.on('drain', more);
  more();
}
