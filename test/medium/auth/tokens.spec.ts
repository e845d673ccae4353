import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { DataSource } from 'typeorm';
import { CurrentPrincipal, type Principal, RequireAdmin, RequireSession, SessionsService } from '#auth';
import { User } from '#database';
import { ADMIN_EMAIL, ADMIN_KEY, ADMIN_PASSWORD, AuthApp, PASSWORD } from '../../support/auth-app.js';

@Controller('probe')
class Probe {
  @Get('operator')
  @RequireAdmin('keyOrSession')
  operator(@CurrentPrincipal() principal: Principal) {
    return principal;
  }

  @Get('key')
  @RequireAdmin('key')
  key() {
    return { ok: true };
  }

  @Get('session')
  @RequireSession()
  session() {
    return { ok: true };
  }
}

const HOUR_MS = 3_600_000;

let app: AuthApp;
beforeAll(async () => {
  app = await AuthApp.start({ controllers: [Probe] });
});
afterAll(() => app[Symbol.asyncDispose]());

const login = (body: unknown, headers = {}) => app.send('POST', '/auth/login', { body, headers });
const probe = (which: string, token: string, headers = {}) =>
  app.send('GET', `/probe/${which}`, { headers: { authorization: `Bearer ${token}`, ...headers } });

/** The token of a new admin, and the account it is of. */
async function admin(): Promise<{ id: string; email: string; token: string }> {
  const { email, body } = await app.register();
  await app.get(DataSource).getRepository(User).update({ id: body.user.id }, { role: 'admin' });
  const answer = await login({ username: email, password: PASSWORD });
  return { id: body.user.id, email, token: String(answer.body['token']) };
}

describe('a sign-in by username', () => {
  it('gives an admin a token and no cookie', async () => {
    const answer = await login({ username: ` ${ADMIN_EMAIL.toUpperCase()}`, password: ADMIN_PASSWORD });
    expect(answer).toMatchObject({ status: 200, cookie: '' });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      success: true,
      token: expect.any(String),
      user: { username: ADMIN_EMAIL, role: 'admin' },
    });
    const token = String(answer.body['token']);
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'JWT' });
    const iat = app.clock.nowMs() / 1000;
    expect(decodeJwt(token)).toEqual({
      projectId: ADMIN_EMAIL,
      route: 'auth',
      scopes: ['admin'],
      environment: 'production',
      issuedBy: new URL(app.url).host,
      iat,
      exp: iat + 3600,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      sub: expect.any(String),
      gen: 0,
    });
  });

  it('tells a member no more than somebody with a wrong password', async () => {
    const { email } = await app.register();
    const said = [];
    for (const [username, password] of [
      [email, PASSWORD],
      [email, 'wrong'],
      ['nobody@example.com', PASSWORD],
    ]) {
      const { status, body, cookie } = await login({ username, password });
      said.push({ status, cookie, body: { ...body, requestId: '', timestamp: '' } });
    }
    expect(said[0]).toMatchObject({ status: 401, cookie: '', body: { code: 'INVALID_CREDENTIALS' } });
    expect(said[1]).toEqual(said[0]);
    expect(said[2]).toEqual(said[0]);
  });

  it.each([
    [{ email: ADMIN_EMAIL, username: ADMIN_EMAIL, password: ADMIN_PASSWORD }],
    [{ password: ADMIN_PASSWORD }],
    [{ username: { $ne: 1 }, password: ADMIN_PASSWORD }],
    [{ username: 'admin', password: ADMIN_PASSWORD }],
    [{ username: ADMIN_EMAIL, password: ADMIN_PASSWORD, scopes: ['admin'] }],
  ])('refuses the body %j', async (body) => {
    expect(await login(body)).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' }, cookie: '' });
  });

  it('is for an account that is not disabled', async () => {
    const { id, email } = await admin();
    await app.get(DataSource).getRepository(User).update({ id }, { disabledAt: new Date() });
    expect(await login({ username: email, password: PASSWORD })).toMatchObject({
      status: 403,
      body: { code: 'ACCOUNT_DISABLED' },
    });
  });
});

describe('the token of an admin', () => {
  it('opens what an admin’s session opens, also from a page of another origin', async () => {
    const { email, token } = await admin();
    expect(await probe('operator', token, { origin: 'https://elsewhere.example' })).toMatchObject({
      status: 200,
      body: {
        kind: 'token',
        projectId: email,
        route: 'auth',
        scopes: ['admin'],
        user: { email, role: 'admin' },
      },
    });
  });

  it('does not open what the admin key alone does, nor what a session does', async () => {
    const { token } = await admin();
    expect(await probe('key', token)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    expect(await probe('session', token)).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
    expect((await probe('key', token, { 'x-admin-key': ADMIN_KEY })).status).toBe(200);
  });

  it('ends after an hour to the second', async () => {
    const { token } = await admin();
    app.clock.advance(HOUR_MS - 1);
    expect((await probe('operator', token)).status).toBe(200);
    app.clock.advance(1);
    expect((await probe('operator', token)).status).toBe(401);
  });

  it.each([
    ['all access of the account was ended', (id: string) => app.get(SessionsService).endAll(id)],
    ['its account is a member’s', (id: string) => change(id, { role: 'member' })],
    ['its account is disabled', (id: string) => change(id, { disabledAt: new Date() })],
    ['its account is gone', (id: string) => app.get(DataSource).getRepository(User).delete({ id })],
  ])('is void at once when %s', async (_what, happens) => {
    const { id, token } = await admin();
    expect((await probe('operator', token)).status).toBe(200);
    await happens(id);
    expect((await probe('operator', token)).status).toBe(401);
  });

  it('lives on when the account gets another address', async () => {
    const { id, token } = await admin();
    await change(id, { email: `${crypto.randomUUID()}@example.com` });
    expect((await probe('operator', token)).status).toBe(200);
  });

  it('is worth nothing at a gateway with another secret', async () => {
    const { token } = await admin();
    const env = { GATEWAY_JWT_SECRET: 'of-another-gateway-of-this-database' };
    await using other = await AuthApp.start({ controllers: [Probe], database: app.database, env });
    const headers = { authorization: `Bearer ${token}` };
    expect((await other.send('GET', '/probe/operator', { headers })).status).toBe(401);
  });
});

async function change(id: string, changes: Partial<User>): Promise<void> {
  await app.get(DataSource).getRepository(User).update({ id }, changes);
}
