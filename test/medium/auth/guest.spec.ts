import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { decodeJwt } from 'jose';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayTokens, RequireAdmin, RequireSession } from '#auth';
import { AuthApp } from '../../support/auth-app.js';

@Controller('probe')
class Probe {
  @Get('operator')
  @RequireAdmin('keyOrSession')
  operator() {
    return { ok: true };
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

describe('POST /auth/guest', () => {
  let app: AuthApp;
  beforeAll(async () => {
    app = await AuthApp.start({ controllers: [Probe] });
  });
  afterAll(() => app[Symbol.asyncDispose]());

  const guest = (body?: unknown) => app.send('POST', '/auth/guest', { body });

  it('gives anybody a token for the route of guests, for a quarter of an hour', async () => {
    const { status, body, cookie, headers } = await guest({});
    expect({ status, body, cookie }).toEqual({
      status: 200,
      body: { success: true, token: expect.any(String), route: 'build' },
      cookie: '',
    });
    expect(headers.get('cache-control')).toBe('no-store');
    const iat = app.clock.nowMs() / 1000;
    expect(decodeJwt(String(body['token']))).toEqual({
      projectId: 'guest',
      route: 'build',
      scopes: ['guest'],
      environment: 'staging',
      issuedBy: new URL(app.url).host,
      iat,
      exp: iat + 900,
      jti: expect.any(String),
    });
  });

  it('takes no body for no route', async () => {
    expect(await guest()).toMatchObject({ status: 200, body: { route: 'build' } });
  });

  it.each(['kv', 'core', 'auth', 'admin', 'BUILD', 'build ', '', '../build', '__proto__', 'constructor'])(
    'knows no route %j',
    async (route) => {
      expect(await guest({ route })).toMatchObject({ status: 400, body: { code: 'UNKNOWN_ROUTE' } });
    },
  );

  it.each([
    [{ route: 1 }],
    [{ route: ['build'] }],
    [{ scopes: ['admin'] }],
    [{ route: 'x'.repeat(65) }],
    [[]],
  ])('refuses the body %j', async (body) => {
    expect(await guest(body)).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
  });

  it('gives a token that opens nothing of ours', async () => {
    const { body } = await guest({});
    const headers = { authorization: `Bearer ${String(body['token'])}` };
    expect((await app.send('GET', '/probe/operator', { headers })).status).toBe(403);
    expect((await app.send('GET', '/probe/key', { headers })).status).toBe(403);
    expect((await app.send('GET', '/probe/session', { headers })).status).toBe(401);
  });

  it('gives a token that is a guest’s until it ends, to the second', async () => {
    const token = String((await guest({})).body['token']);
    app.clock.advance(15 * 60_000 - 1);
    expect(await app.get(GatewayTokens).verify(token)).toEqual({
      kind: 'token',
      projectId: 'guest',
      route: 'build',
      scopes: ['guest'],
      user: null,
      expiresAt: new Date(Math.floor(app.clock.nowMs() / 1000) * 1000 + 1000),
    });
    app.clock.advance(1);
    expect(await app.get(GatewayTokens).verify(token)).toBeNull();
  });
});

describe('the routes of guests', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-guests-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function routesBy(yaml: string, ...asked: (string | undefined)[]): Promise<unknown[]> {
    const file = join(folder, 'config.yml');
    await writeFile(file, yaml);
    await using app = await AuthApp.start({ env: { CONFIG_FILE: file } });
    const answers = [];
    for (const route of asked) {
      const { body } = await app.send('POST', '/auth/guest', { body: { route } });
      answers.push(body['route'] === 'auth' ? body['code'] : body['route']);
    }
    return answers;
  }

  it('come from config.yml, and the first is the one for whoever names none', async () => {
    const answers = await routesBy('guest: { routes: [preview, docs] }', undefined, 'docs', 'build');
    expect(answers).toEqual(['preview', 'docs', 'UNKNOWN_ROUTE']);
  });

  it('may be none at all', async () => {
    expect(await routesBy('guest: { routes: [] }', undefined, 'build')).toEqual([
      'UNKNOWN_ROUTE',
      'UNKNOWN_ROUTE',
    ]);
  });
});
