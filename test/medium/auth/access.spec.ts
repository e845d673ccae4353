import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import {
  CurrentPrincipal,
  CurrentUser,
  describeRoutes,
  type Principal,
  type PrincipalUser,
  Public,
  RequireAdmin,
  RequireSession,
} from '#auth';
import { ADMIN_EMAIL, ADMIN_KEY, ADMIN_PASSWORD, AuthApp } from '../../support/auth-app.js';

@Controller('probe')
class Probe {
  @Get('undeclared')
  undeclared() {
    return 'never seen';
  }

  @Get('public')
  @Public()
  anybody() {
    return { ok: true };
  }

  @Get('session')
  @RequireSession()
  signedIn(@CurrentUser() user: PrincipalUser) {
    return user;
  }

  @Get(['key', 'key/alias'])
  @RequireAdmin('key')
  key(@CurrentPrincipal() principal: Principal) {
    return principal;
  }

  @Get('operator')
  @RequireAdmin('keyOrSession')
  operator(@CurrentPrincipal() principal: Principal) {
    return { kind: principal.kind };
  }
}

@Controller('closed')
@RequireAdmin('key')
class Closed {
  @Get()
  inherited() {
    return { ok: true };
  }

  @Get('open')
  @Public()
  overridden() {
    return { ok: true };
  }
}

describe('access to a handler', () => {
  let app: AuthApp;
  let callers: Record<
    'nobody' | 'customer' | 'adminUser' | 'key' | 'bearer' | 'wrongKey',
    Record<string, string>
  >;
  beforeAll(async () => {
    app = await AuthApp.start({ controllers: [Probe, Closed] });
    callers = {
      nobody: {},
      customer: { cookie: (await app.register()).cookie },
      adminUser: { cookie: (await app.login(ADMIN_EMAIL, ADMIN_PASSWORD)).cookie },
      key: { 'x-admin-key': ADMIN_KEY },
      bearer: { authorization: `bearer ${ADMIN_KEY}` },
      wrongKey: { 'x-admin-key': `${ADMIN_KEY}x` },
    };
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it.each([
    [
      '/probe/undeclared',
      { nobody: 403, customer: 403, adminUser: 403, key: 403, bearer: 403, wrongKey: 403 },
    ],
    ['/probe/public', { nobody: 200, customer: 200, adminUser: 200, key: 200, bearer: 200, wrongKey: 200 }],
    ['/probe/session', { nobody: 401, customer: 200, adminUser: 200, key: 401, bearer: 401, wrongKey: 401 }],
    ['/probe/key', { nobody: 401, customer: 403, adminUser: 403, key: 200, bearer: 200, wrongKey: 401 }],
    [
      '/probe/key/alias',
      { nobody: 401, customer: 403, adminUser: 403, key: 200, bearer: 200, wrongKey: 401 },
    ],
    ['/probe/operator', { nobody: 401, customer: 403, adminUser: 200, key: 200, bearer: 200, wrongKey: 401 }],
    ['/closed', { nobody: 401, customer: 403, adminUser: 403, key: 200, bearer: 200, wrongKey: 401 }],
    ['/closed/open', { nobody: 200, customer: 200, adminUser: 200, key: 200, bearer: 200, wrongKey: 200 }],
  ])('%s answers as declared', async (path, expected) => {
    const answers: Record<string, number> = {};
    for (const [caller, headers] of Object.entries(callers)) {
      answers[caller] = (await app.send('GET', path, { headers })).status;
    }
    expect(answers).toEqual(expected);
  });

  it('gives the handler who calls, and nothing that is secret', async () => {
    const { body } = await app.send('GET', '/probe/session', { headers: callers.customer });
    expect(Object.keys(body).toSorted()).toEqual([
      'email',
      'emailVerified',
      'id',
      'name',
      'role',
      'totpEnabled',
    ]);
    expect(await app.send('GET', '/probe/key', { headers: callers.key })).toMatchObject({
      body: { kind: 'adminKey' },
    });
  });

  it.each([
    ['nobody', '/probe/key', 'Send the admin key as X-Admin-Key, or as Authorization: Bearer.'],
    ['wrongKey', '/probe/key', 'The key sent as X-Admin-Key is not the admin key.'],
    [
      'wrongBearer',
      '/probe/key',
      'What was sent as Authorization: Bearer is neither the admin key nor a valid gateway token.',
    ],
    ['adminUser', '/probe/key', 'This endpoint takes the admin key alone: send it as X-Admin-Key.'],
    ['customer', '/probe/operator', 'You may not do this with this account.'],
  ])('is refused to %s at %s with what to do about it', async (caller, path, message) => {
    const all: Record<string, Record<string, string>> = {
      ...callers,
      wrongBearer: { authorization: `Bearer ${ADMIN_KEY}x` },
    };
    expect(await app.send('GET', path, { headers: all[caller] ?? {} })).toMatchObject({ body: { message } });
  });

  it.each([
    '',
    ' ',
    'Bearer',
    `Basic ${ADMIN_KEY}`,
    `Bearer ${ADMIN_KEY} x`,
    `Bearer x ${ADMIN_KEY}`,
    ADMIN_KEY,
  ])('is not given for the Authorization header %j', async (authorization) => {
    expect((await app.send('GET', '/probe/key', { headers: { authorization } })).status).toBe(401);
  });

  it('is in the snapshot of all routes, what is undeclared with a word of its own', () => {
    const routes = describeRoutes(app.nest).map(({ method, path, access }) => `${method} ${path}: ${access}`);
    expect(routes.filter((route) => /^\w+ \/(probe|closed|auth\/me)/.test(route))).toEqual(
      [
        'GET /auth/me: session',
        'GET /closed: admin key',
        'GET /closed/open: public',
        'GET /probe/key: admin key',
        'GET /probe/key/alias: admin key',
        'GET /probe/operator: admin key, session or token',
        'GET /probe/public: public',
        'GET /probe/session: session',
        'GET /probe/undeclared: undeclared',
      ].toSorted(
        (a, b) => (a.split(' ')[1] ?? '').localeCompare(b.split(' ')[1] ?? '') || a.localeCompare(b),
      ),
    );
  });

  it('is checked by each of two gateways of one process with its own key and its own database', async () => {
    await using other = await AuthApp.start({
      controllers: [Probe],
      env: { ADMIN_KEY: 'quite-another-admin-key' },
    });
    expect((await other.send('GET', '/probe/key', { headers: callers.key })).status).toBe(401);
    expect((await app.send('GET', '/probe/key', { headers: callers.key })).status).toBe(200);
    expect((await other.send('GET', '/probe/session', { headers: callers.customer })).status).toBe(401);
    expect((await app.send('GET', '/probe/session', { headers: callers.customer })).status).toBe(200);
  });
});
