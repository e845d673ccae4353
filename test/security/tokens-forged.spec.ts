import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { base64url, SignJWT } from 'jose';
import { createHmac, randomInt } from 'node:crypto';
import { GatewayTokens, RequireAdmin } from '#auth';
import { ADMIN_EMAIL, ADMIN_PASSWORD, AuthApp } from '../support/auth-app.js';

@Controller('probe')
class Probe {
  @Get()
  @RequireAdmin('keyOrSession')
  operator() {
    return { ok: true };
  }
}

const SECRET = 'the-secret-that-gateway-tokens-are-signed-with';
const MUTATIONS = 10_000;
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

let app: AuthApp;
let tokens: GatewayTokens;
let admin: string;
let guest: string;
beforeAll(async () => {
  app = await AuthApp.start({ controllers: [Probe], env: { GATEWAY_JWT_SECRET: SECRET } });
  tokens = app.get(GatewayTokens);
  const body = { username: ADMIN_EMAIL, password: ADMIN_PASSWORD };
  admin = String((await app.send('POST', '/auth/login', { body })).body['token']);
  guest = (await tokens.forGuest()).token;
});
afterAll(() => app[Symbol.asyncDispose]());

const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const partsOf = (token: string) => token.split('.') as [string, string, string];
const headerOf = (token: string) => JSON.parse(Buffer.from(partsOf(token)[0], 'base64url').toString());
const claimsOf = (token: string) => JSON.parse(Buffer.from(partsOf(token)[1], 'base64url').toString());

/** Signed as ours are, whatever the header says. */
function signed(header: object, claims: unknown, secret = SECRET, hash = 'sha256'): string {
  const content = `${json(header)}.${json(claims)}`;
  return `${content}.${createHmac(hash, secret).update(content).digest('base64url')}`;
}

async function accepted(token: string): Promise<boolean> {
  return (await tokens.verify(token)) !== null;
}

describe('a forged gateway token', () => {
  it('is told from a real one', async () => {
    expect([await accepted(admin), await accepted(guest)]).toEqual([true, true]);
    const again = signed(headerOf(admin), claimsOf(admin));
    expect(again).toBe(admin); // what the forgeries below are made with makes real ones, too
  });

  it(`is never accepted, of ${MUTATIONS} mutations`, async () => {
    let tried = 0;
    for (let i = 0; tried < MUTATIONS; i++) {
      const real = i % 2 === 0 ? admin : guest;
      const forged = mutated(real, i % 4 < 2 ? guest : admin);
      if (forged === admin || forged === guest) continue;
      tried += 1;
      if (await accepted(forged)) throw new Error(`accepted: ${forged} for ${real}`);
    }
  }, 60_000);

  it('has one spelling: not even bits of the signature that mean nothing may differ', async () => {
    const last = BASE64URL.indexOf(admin.at(-1) ?? '');
    const others = Array.from({ length: 4 }, (_, bits) => (last & ~3) | bits).filter(
      (index) => index !== last,
    );
    for (const index of others) expect(await accepted(admin.slice(0, -1) + BASE64URL[index])).toBe(false);
    expect(await accepted(`${admin}=`)).toBe(false);
  });

  it.each<[string, () => string | Promise<string>]>([
    ['alg none, without a signature', () => `${json({ alg: 'none', typ: 'JWT' })}.${partsOf(admin)[1]}.`],
    ['alg none, with its old signature', () => [json({ alg: 'none' }), ...partsOf(admin).slice(1)].join('.')],
    ['alg NONE', () => signed({ alg: 'NONE', typ: 'JWT' }, claimsOf(admin))],
    [
      'alg HS512, rightly signed',
      () => signed({ alg: 'HS512', typ: 'JWT' }, claimsOf(admin), SECRET, 'sha512'),
    ],
    [
      'alg HS384, rightly signed',
      () => signed({ alg: 'HS384', typ: 'JWT' }, claimsOf(admin), SECRET, 'sha384'),
    ],
    [
      'alg RS256, signed by HMAC with our secret',
      () => signed({ alg: 'RS256', typ: 'JWT' }, claimsOf(admin)),
    ],
    ['alg hs256', () => signed({ alg: 'hs256', typ: 'JWT' }, claimsOf(admin))],
    ['no alg', () => signed({ typ: 'JWT' }, claimsOf(admin))],
    ['another typ', () => signed({ alg: 'HS256', typ: 'at+jwt' }, claimsOf(admin))],
    ['no typ', () => signed({ alg: 'HS256' }, claimsOf(admin))],
    ['a kid, under its old signature', () => swapHeader({ alg: 'HS256', typ: 'JWT', kid: '../../dev/null' })],
    ['a jwk of its own', () => swapHeader({ alg: 'HS256', typ: 'JWT', jwk: { kty: 'oct', k: 'AA' } })],
    [
      'an unknown critical header',
      () => signed({ alg: 'HS256', typ: 'JWT', crit: ['x'], x: 1 }, claimsOf(admin)),
    ],
    ['another secret', () => signed(headerOf(admin), claimsOf(admin), `${SECRET}.`)],
    ['an empty secret', () => signed(headerOf(admin), claimsOf(admin), '')],
    [
      'the admin’s scope in a guest’s claims',
      () => swapClaims(guest, { ...claimsOf(guest), scopes: ['admin'] }),
    ],
    ['a later exp', () => swapClaims(admin, { ...claimsOf(admin), exp: 9_999_999_999 })],
  ])('is refused with %s', async (_what, forge) => {
    const forged = await forge();
    expect(await accepted(forged)).toBe(false);
    const headers = { authorization: `Bearer ${forged}` };
    expect((await app.send('GET', '/probe', { headers })).status).toBe(401);
  });

  it.each<[string, (claims: Record<string, unknown>) => unknown]>([
    ['no exp', (claims) => without(claims, 'exp')],
    ['an exp that is a text', (claims) => ({ ...claims, exp: '9999999999' })],
    ['an exp in the past', (claims) => ({ ...claims, exp: Number(claims['iat']) - 1 })],
    ['no iat', (claims) => without(claims, 'iat')],
    ['no jti', (claims) => without(claims, 'jti')],
    ['an nbf that is to come', (claims) => ({ ...claims, nbf: Number(claims['exp']) })],
    ['no route', (claims) => without(claims, 'route')],
    ['scopes that are a text', (claims) => ({ ...claims, scopes: 'admin' })],
    ['the scope of an admin and no account', (claims) => without(claims, 'sub')],
    ['the scope of an admin and no generation', (claims) => without(claims, 'gen')],
    ['another account', (claims) => ({ ...claims, sub: crypto.randomUUID() })],
    ['another generation', (claims) => ({ ...claims, gen: 1 })],
    ['a list of claims', () => ['admin']],
  ])('is refused with %s, though our secret signed it', async (_what, change) => {
    expect(await accepted(signed(headerOf(admin), change(claimsOf(admin))))).toBe(false);
  });

  it('is refused when another library of ours signed it for something else', async () => {
    const foreign = await new SignJWT({ purpose: 'reset' })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuedAt(app.clock.nowMs() / 1000)
      .setExpirationTime(app.clock.nowMs() / 1000 + 60)
      .setJti('1')
      .sign(new TextEncoder().encode(SECRET));
    expect(await accepted(foreign)).toBe(false);
  });
});

function without(claims: Record<string, unknown>, claim: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => name !== claim));
}

function swapHeader(header: object): string {
  return [json(header), ...partsOf(admin).slice(1)].join('.');
}

function swapClaims(token: string, claims: unknown): string {
  const [header, , signature] = partsOf(token);
  return [header, json(claims), signature].join('.');
}

/** One of the many ways to be no such token. */
function mutated(token: string, other: string): string {
  const at = randomInt(token.length);
  const [header, claims, signature] = partsOf(token);
  const ways: readonly (() => string)[] = [
    () => replaced(token, at, BASE64URL[randomInt(64)] ?? ''),
    () => flippedBit(token),
    () => token.slice(0, at),
    () => token.slice(at),
    () => token.slice(0, at) + token.slice(at + 1),
    () => token.slice(0, at) + BASE64URL[randomInt(64)] + token.slice(at),
    () => token + (BASE64URL[randomInt(64)] ?? ''),
    () => `${token}.${signature}`,
    () => [header, claims, partsOf(other)[2]].join('.'),
    () => [header, partsOf(other)[1], signature].join('.'),
    () =>
      [
        header,
        claims,
        Buffer.from(signature, 'base64url').subarray(randomInt(1, 32)).toString('base64url'),
      ].join('.'),
    () => [header, claims, base64url.encode(new Uint8Array(randomInt(65)))].join('.'),
    () => replaced(token, at, String.fromCharCode(randomInt(32, 127))),
    () => [claims, header, signature].join('.'),
    () => token.toUpperCase(),
    () => ` ${token}`,
  ];
  return ways[randomInt(ways.length)]?.() ?? '';
}

function replaced(text: string, at: number, by: string): string {
  return text.slice(0, at) + by + text.slice(at + 1);
}

/** One bit of what a part says, encoded again. */
function flippedBit(token: string): string {
  const parts = partsOf(token);
  const which = randomInt(3);
  const bytes = Buffer.from(parts[which] ?? '', 'base64url');
  const at = randomInt(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << randomInt(8));
  parts[which] = bytes.toString('base64url');
  return parts.join('.');
}
