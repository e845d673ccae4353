import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { Authenticator, SessionsService } from '#auth';
import { User } from '#database';
import { ASSIGNED_SLICES } from '../../support/assigned-slices.js';
import { answering, valuesOf } from '../../support/echo.js';
import { ADMIN_KEY, Gateway, PASSWORD } from '../../support/gateway.js';
import { EchoApps, send } from '../../support/routes.js';
import { closeCode, openSocket, refusedUpgrade } from '../../support/sockets.js';

/** Routes that gateway tokens open: an admin's every one, a guest's its own. */
let apps: EchoApps;
let gateway: Gateway;
let guest: string;
let admin: { id: string; email: string; token: string };

beforeAll(async () => {
  apps = await EchoApps.start('build', 'kv', 'core');
  gateway = await Gateway.start({
    ...ASSIGNED_SLICES,
    env: { ...ASSIGNED_SLICES.env, BUILD_SERVICE_URL: `${apps.url('build')}/base`, ALLOWED_ORIGINS: '*' },
    configFile: `
guest: { routes: [build] }
routes:
  - { id: build, path: /build, auth: [token] }
  - { id: kv, path: /kv, target: "${apps.url('kv')}", auth: [optionalToken] }
  - { id: core-api, path: /core, target: "${apps.url('core')}", auth: [optionalToken], tokenRoute: parti }
  - { id: open, path: /open, target: "${apps.url('kv')}", auth: [optionalToken], forwardAuthorization: true }
  - { id: mixed, path: /mixed, target: "${apps.url('kv')}", auth: [token, none] }
  - { id: gone, path: /gone, target: "\${GONE_SERVICE}", auth: [token], tokenRoute: build }
`,
  });
  guest = (await send(gateway.url, '/auth/guest', { method: 'POST' })).json.token;
  admin = await newAdmin();
}, 60_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await apps[Symbol.asyncDispose]();
});

afterEach(() => {
  jest.restoreAllMocks();
});

async function newAdmin(): Promise<typeof admin> {
  const email = `${crypto.randomUUID()}@example.com`;
  const { body } = await gateway.browser().register(email, PASSWORD);
  const id = String(body.user.id);
  await gateway.get(DataSource).getRepository(User).update({ id }, { role: 'admin' });
  const { json } = await send(gateway.url, '/auth/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: email, password: PASSWORD }),
  });
  expect(json).toMatchObject({ success: true, user: { username: email, role: 'admin' } });
  return { id, email, token: json.token };
}

/** Ends all access of an admin when the next look-up has read the account, and has not told of it yet. */
function endDuringLookUp(id: string): jest.SpiedFunction<Authenticator['authenticateToken']> {
  const authenticator = gateway.get(Authenticator);
  const lookUp = authenticator.authenticateToken.bind(authenticator);
  return jest.spyOn(authenticator, 'authenticateToken').mockImplementationOnce(async (headers) => {
    const principal = await lookUp(headers);
    expect(principal).toMatchObject({ user: { id } });
    await gateway.get(SessionsService).endAll(id);
    return principal;
  });
}

const bearing = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

describe('a route for tokens', () => {
  it('passes its own token’s requests on, without the token, and says which route it is', async () => {
    const { status, seen } = await send(gateway.url, '/build/jobs?x=1', bearing(guest));
    expect({ status, app: seen.sliceId, url: seen.url }).toEqual({
      status: 200,
      app: 'build',
      url: '/base/jobs?x=1',
    });
    expect(valuesOf(seen.rawHeaders, 'authorization')).toEqual([]);
    expect(valuesOf(seen.rawHeaders, 'x-gateway-route')).toEqual(['build']);
  });

  it('says it in its own words, whatever the client says', async () => {
    const headers = { authorization: `Bearer ${guest}`, 'X-Gateway-Route': 'core', x_gateway_route: 'core' };
    const { seen } = await send(gateway.url, '/build/x', { headers });
    expect(valuesOf(seen.rawHeaders, 'x-gateway-route')).toEqual(['build']);
  });

  it('is opened by the token of an admin, who is named', async () => {
    const { status, seen } = await send(gateway.url, '/build', bearing(admin.token));
    expect({ status, url: seen.url }).toEqual({ status: 200, url: '/base/' });
    expect(valuesOf(seen.rawHeaders, 'x-user-email')).toEqual([admin.email]);
    expect(valuesOf(seen.rawHeaders, 'x-user-sub')).toEqual([admin.id]);
  });

  it('is 401 MISSING_TOKEN without one', async () => {
    expect(await send(gateway.url, '/build/x')).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="Sluice"' },
      json: { code: 'MISSING_TOKEN' },
    });
    const basic = { headers: { authorization: 'Basic YWRtaW46YWRtaW4=' } };
    expect((await send(gateway.url, '/build/x', basic)).json.code).toBe('MISSING_TOKEN');
  });

  it.each([
    ['what is no token', () => 'nonsense'],
    ['an altered one', () => `${guest.slice(0, -3)}AAA`],
    ['an API key', () => `slu_${'A'.repeat(43)}`],
  ])('is 403 INVALID_TOKEN with %s', async (_what, token) => {
    expect(await send(gateway.url, '/build/x', bearing(token()))).toMatchObject({
      status: 403,
      json: { code: 'INVALID_TOKEN' },
    });
  });

  it('has no other door: neither a session nor the admin key opens it', async () => {
    const browser = gateway.browser();
    await browser.register(`${crypto.randomUUID()}@example.com`, PASSWORD);
    const { cookie } = browser;
    expect((await send(gateway.url, '/build/x', { headers: { cookie } })).json.code).toBe('MISSING_TOKEN');
    expect((await send(gateway.url, '/build/x', { headers: { 'x-admin-key': ADMIN_KEY } })).json.code).toBe(
      'MISSING_TOKEN',
    );
    expect((await send(gateway.url, '/build/x', bearing(ADMIN_KEY))).json.code).toBe('INVALID_TOKEN');
  });

  it('whose target is not set is 502 MISSING_TARGET, for those who may', async () => {
    expect((await send(gateway.url, '/gone/x', bearing(guest))).json).toMatchObject({
      code: 'MISSING_TARGET',
      status: 502,
    });
    expect((await send(gateway.url, '/gone/x')).json.code).toBe('MISSING_TOKEN');
  });

  it('passes redirects through', async () => {
    const told = answering({ status: 302, headers: ['location', 'https://elsewhere.example/x'] });
    const answer = await send(gateway.url, `/build${told}`, bearing(guest));
    expect({ status: answer.status, location: answer.headers.location }).toEqual({
      status: 302,
      location: 'https://elsewhere.example/x',
    });
  });

  it('answers a preflight of any page, since no cookie counts there', async () => {
    const headers = { origin: 'https://x.example', 'access-control-request-method': 'GET' };
    const answer = await send(gateway.url, '/build/x', { method: 'OPTIONS', headers });
    expect(answer).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': '*',
        'access-control-allow-headers': 'Content-Type,Authorization',
        'access-control-max-age': '86400',
      },
    });
  });
});

describe('an admin’s token whose account is looked up while all access of it ends', () => {
  it('opens no WebSocket, which nobody would close', async () => {
    const { id, token } = await newAdmin();
    const lookUps = endDuringLookUp(id);
    const refusal = await refusedUpgrade(`${gateway.url}/build/live`, { authorization: `Bearer ${token}` });
    expect(refusal).toMatchObject({ status: 403, body: { code: 'INVALID_TOKEN' } });
    expect(lookUps).toHaveBeenCalledTimes(2);
  });

  it('passes no request', async () => {
    const { id, token } = await newAdmin();
    endDuringLookUp(id);
    expect(await send(gateway.url, '/build/x', bearing(token))).toMatchObject({
      status: 403,
      json: { code: 'INVALID_TOKEN' },
    });
  });
});

describe('a route for which a token is optional', () => {
  it('serves everybody, and says which route it is', async () => {
    const { status, seen } = await send(gateway.url, '/kv/a/b');
    expect({ status, url: seen.url }).toEqual({ status: 200, url: '/a/b' });
    expect(valuesOf(seen.rawHeaders, 'x-gateway-route')).toEqual(['kv']);
  });

  it('refuses a token of another route, and takes an admin’s', async () => {
    expect((await send(gateway.url, '/kv/x', bearing(guest))).json).toMatchObject({
      code: 'INVALID_TOKEN',
      status: 403,
    });
    expect((await send(gateway.url, '/core/x', bearing(admin.token))).status).toBe(200);
  });

  it('keeps Authorization to itself, unless config.yml says that it is the upstream’s', async () => {
    const headers = { authorization: 'Basic YWRhOmxvdmVsYWNl' };
    expect((await send(gateway.url, '/kv/x', { headers })).json.code).toBe('MISSING_TOKEN');
    const [kept, passed] = [
      await send(gateway.url, '/mixed/x', { headers }),
      await send(gateway.url, '/open/x', { headers }),
    ];
    expect(valuesOf(kept.seen.rawHeaders, 'authorization')).toEqual([]);
    expect(valuesOf(passed.seen.rawHeaders, 'authorization')).toEqual([headers.authorization]);
  });

  it('names the route of its tokens where that is not its own', async () => {
    const { seen } = await send(gateway.url, '/core/x');
    expect(valuesOf(seen.rawHeaders, 'x-gateway-route')).toEqual(['parti']);
  });
});

describe('a WebSocket on a route for tokens', () => {
  it('is refused as a request is', async () => {
    expect(await refusedUpgrade(`${gateway.url}/build/live`)).toMatchObject({
      status: 401,
      body: { code: 'MISSING_TOKEN' },
    });
  });

  it('ends when all access of the admin does', async () => {
    const { id, token } = await newAdmin();
    const socket = await openSocket(`${gateway.url}/build/live`, { authorization: `Bearer ${token}` });
    const closed = closeCode(socket);
    await gateway.get(SessionsService).endAll(id);
    expect(await closed).toBe(1008);
  });
});
