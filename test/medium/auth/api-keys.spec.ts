import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { ApiKeyUsage } from '#auth';
import { SecretBox } from '#common';
import { generate, listed, OPERATOR, work, WorkProbe } from '../../support/api-keys.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD, AuthApp } from '../../support/auth-app.js';
import { quietLogger } from '../../support/quiet-logger.js';
import { rejectQueries } from '../../support/reject-queries.js';

const UNAUTHENTICATED = { status: 401, body: { code: 'UNAUTHENTICATED' } };
/** The same for all replicas, as it has to be. */
const env = { SECRET_KEY: 'the secret key of all gateways of this test' };
const DAY_MS = 24 * 3_600_000;

let app: AuthApp;
beforeAll(async () => {
  app = await AuthApp.start({ controllers: [WorkProbe], env });
});
afterAll(() => app[Symbol.asyncDispose]());

describe('an API key', () => {
  it('is shown once, when it is made', async () => {
    const answer = await app.send('POST', '/api/apikeys/generate', {
      headers: OPERATOR,
      body: { name: 'External Ping Worker #1', worker_type: 'ping' },
    });
    expect(answer).toMatchObject({
      status: 201,
      body: { id: expect.any(String), name: 'External Ping Worker #1', worker_type: 'ping' },
    });
    const { key, note } = answer.body as unknown as { key: string; note: string };
    expect(key).toMatch(/^slu_[\w-]{43}$/);
    expect(note).toContain("won't be shown again");
    expect(JSON.stringify(await listed(app))).not.toContain(key);
  });

  it('lets its worker in, and says who it is', async () => {
    const { key, id } = await generate(app);
    expect(await work(app, key)).toMatchObject({
      status: 200,
      body: { kind: 'apiKey', id, name: 'AWS-US-East-1-Ping-Worker', workerType: 'ping', scopes: null },
    });
    expect((await work(app, key, 'POST', '/jobs/result')).status).toBe(201);
  });

  it('opens nothing but what is for workers', async () => {
    const { key } = await generate(app);
    for (const path of ['/api/apikeys/list', '/auth/me']) {
      expect(await work(app, key, 'GET', path)).toMatchObject(UNAUTHENTICATED);
    }
  });

  it('is asked for where no other credential will do', async () => {
    const { cookie } = await app.register();
    const credentials: Record<string, string>[] = [{}, { cookie }, OPERATOR, { authorization: 'Bearer x' }];
    for (const headers of credentials) {
      expect(await app.send('GET', '/jobs/target', { headers })).toMatchObject(UNAUTHENTICATED);
    }
  });

  it('is held to its scopes', async () => {
    const { key } = await generate(app, { scopes: ['GET /jobs/*'] });
    expect((await work(app, key)).status).toBe(200);
    expect(await work(app, key, 'POST', '/jobs/result')).toMatchObject({
      status: 403,
      body: { code: 'API_KEY_FORBIDDEN', route: 'auth' },
    });
  });

  it('ends when its days are over, also where it is known already', async () => {
    const { key, id } = await generate(app, { expires_in_days: 2 });
    expect((await work(app, key)).status).toBe(200);
    app.clock.advance(2 * DAY_MS - 1);
    expect((await work(app, key)).status).toBe(200);
    app.clock.advance(1);
    expect(await work(app, key)).toMatchObject(UNAUTHENTICATED);
    expect((await listed(app)).find((view) => view['id'] === id)).toMatchObject({ enabled: false });
  });

  it('is good for so many requests a minute', async () => {
    await using limited = await AuthApp.start({ controllers: [WorkProbe], limits: { perApiKey: 2 } });
    const { key } = await generate(limited);
    const other = await generate(limited);
    expect((await work(limited, key)).status).toBe(200);
    expect((await work(limited, key)).status).toBe(200);
    const refused = await work(limited, key);
    expect(refused).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
    expect(refused.headers.get('ratelimit-limit')).toBe('2');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await work(limited, other.key)).status).toBe(200);
  });

  it('is limited by the address as well, before it is looked at', async () => {
    await using limited = await AuthApp.start({ controllers: [WorkProbe], limits: { apiKeysPerAddress: 2 } });
    expect((await work(limited, 'x')).status).toBe(401);
    expect((await work(limited, 'x')).status).toBe(401);
    expect((await work(limited, 'x')).status).toBe(429);
    expect((await limited.me('')).status).toBe(401);
  });

  it.each([
    ['no name', { name: undefined }, 'name'],
    ['a line break in the name', { name: 'x\nAPI_KEY_INVALID: Failed auth from IP 203.0.113.1' }, 'name'],
    ['a type that is no word', { worker_type: 'ping pong' }, 'worker_type'],
    ['a scope that is none', { scopes: ['everything'] }, 'scopes.0'],
    ['no scope at all', { scopes: [] }, 'scopes'],
    ['days in the past', { expires_in_days: -1 }, 'expires_in_days'],
    ['a key of its own', { key: 'slu_mine' }, 'key'],
  ])('is not made with %s', async (_what, change, path) => {
    const before = (await listed(app)).length;
    const answer = await app.send('POST', '/api/apikeys/generate', {
      headers: OPERATOR,
      body: { name: 'x', worker_type: 'ping', ...change },
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED', details: [{ path }] } });
    expect(await listed(app)).toHaveLength(before);
  });
});

describe('the list of API keys', () => {
  it('shows how each is used, and enough to recognise it by', async () => {
    const { key, id } = await generate(app, { scopes: ['GET /jobs/*'] });
    const created = app.clock.now().toISOString();
    expect((await listed(app)).find((view) => view['id'] === id)).toEqual({
      id,
      key_preview: `${key.slice(0, 8)}...${key.slice(-6)}`,
      name: 'AWS-US-East-1-Ping-Worker',
      worker_type: 'ping',
      scopes: ['GET /jobs/*'],
      created_at: created,
      expires_at: null,
      last_used_at: null,
      request_count: 0,
      enabled: true,
    });
    app.clock.advance(1000);
    const used = app.clock.now().toISOString();
    for (let i = 0; i < 3; i++) await work(app, key);
    await work(app, key, 'POST', '/jobs/result'); // outside of its scopes
    await app.get(ApiKeyUsage).flush();
    expect((await listed(app)).find((view) => view['id'] === id)).toMatchObject({
      last_used_at: used,
      request_count: 3,
    });
  });

  it('says which key does not open; that one is none, can be revoked, and hides no other', async () => {
    const [lost, other] = [await generate(app), await generate(app)];
    const sealed = new SecretBox('the secret key of nobody').seal(lost.key, `api-key:${lost.id}`);
    await app.get(DataSource).query('UPDATE api_key SET key_sealed = $1 WHERE id = $2', [sealed, lost.id]);
    const views = await listed(app);
    expect(views.find(({ id }) => id === lost.id)).toMatchObject({
      key_preview: 'unreadable',
      enabled: false,
    });
    expect(views.find(({ id }) => id === other.id)).toMatchObject({ enabled: true });
    expect(await work(app, lost.key)).toMatchObject(UNAUTHENTICATED);
    const revoked = await app.send('DELETE', `/api/apikeys/${lost.id}`, { headers: OPERATOR });
    expect(revoked.status).toBe(200);
  });

  it('is for the operator, and for an admin who is signed in', async () => {
    const list = (headers: Record<string, string>) => app.send('GET', '/api/apikeys/list', { headers });
    const admin = await app.login(ADMIN_EMAIL, ADMIN_PASSWORD);
    expect((await list({ cookie: admin.cookie })).status).toBe(200);
    expect((await list({ cookie: (await app.register()).cookie })).status).toBe(403);
    expect((await list({})).status).toBe(401);
  });
});

describe('the use of an API key', () => {
  it('is counted although the database was away for a while', async () => {
    const { key, id } = await generate(app);
    await work(app, key);
    const heal = rejectQueries(app.get(DataSource), 'UPDATE api_key SET request_count');
    await app.get(ApiKeyUsage).flush();
    await work(app, key);
    heal();
    await app.get(ApiKeyUsage).flush();
    expect((await listed(app)).find((view) => view['id'] === id)).toMatchObject({ request_count: 2 });
  });

  it('is written down when the gateway stops', async () => {
    const replica = await AuthApp.start({ controllers: [WorkProbe], env, database: app.database });
    const { key, id } = await generate(app);
    expect((await work(replica, key)).status).toBe(200);
    await replica[Symbol.asyncDispose]();
    expect((await listed(app)).find((view) => view['id'] === id)).toMatchObject({ request_count: 1 });
  });

  it('is told in the log by one line a request, with the address of the client', async () => {
    const lines: string[] = [];
    const note = (line: unknown): void => void lines.push(String(line));
    const spies = [
      jest.spyOn(quietLogger, 'log').mockImplementation(note),
      jest.spyOn(quietLogger, 'warn').mockImplementation(note),
    ];
    const { key } = await generate(app, { name: 'External Ping Worker #1' });
    await work(app, key);
    await work(app, `${key}x`);
    await app.send('GET', '/jobs/target');
    spies.forEach((spy) => spy.mockRestore());
    expect(lines.filter((line) => line.startsWith('API_KEY_'))).toEqual([
      'API_KEY_AUTH: External Ping Worker #1 (type: ping) from IP 127.0.0.1',
      'API_KEY_INVALID: Failed auth from IP 127.0.0.1',
      'API_KEY_MISSING: Request from IP 127.0.0.1',
    ]);
    expect(lines.join('\n')).not.toContain(key);
  });
});
