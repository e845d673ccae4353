import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { type SessionRevocation, SessionRevocations } from '#auth';
import { User } from '#database';
import { type Answer, AuthApp } from '../../support/auth-app.js';
import { eventually } from '../../support/eventually.js';
import { describeOverStores } from '../../support/over-stores.js';

const MINUTE_MS = 60_000;

interface ListedSession {
  readonly id: string;
  readonly current: boolean;
}

describeOverStores('the sessions of a user', (env) => {
  let app: AuthApp;
  let email: string;
  let first: string;
  let second: string;
  beforeAll(async () => {
    app = await AuthApp.start({ env: env() });
  });
  afterAll(() => app[Symbol.asyncDispose]());
  beforeEach(async () => {
    ({ cookie: first, email } = await app.register());
    app.clock.advance(MINUTE_MS);
    ({ cookie: second } = await app.login(email, undefined, { 'user-agent': 'A Browser/1.0' }));
  });

  const send = (method: string, path: string, cookie: string): Promise<Answer> =>
    app.send(method, path, { headers: { cookie } });

  async function list(cookie: string): Promise<readonly ListedSession[]> {
    return (await send('GET', '/auth/sessions', cookie)).body as unknown as ListedSession[];
  }

  const idOf = async (cookie: string): Promise<string | undefined> =>
    (await list(cookie)).find(({ current }) => current)?.id;

  describe('listed', () => {
    it('show where and how each was opened, and which of them asks', async () => {
      const now = app.clock.nowMs();
      const { status, headers, body } = await send('GET', '/auth/sessions', second);
      expect(status).toBe(200);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(body).toEqual([
        {
          id: expect.any(String),
          current: true,
          kind: 'password',
          createdAt: at(now),
          lastSeenAt: at(now),
          expiresAt: at(now + app.config.session.ttlMs),
          ip: '127.0.0.1',
          userAgent: 'A Browser/1.0',
        },
        expect.objectContaining({ current: false, createdAt: at(now - MINUTE_MS), kind: 'password' }),
      ]);
    });

    it('are nobody else’s', async () => {
      const { cookie } = await app.register();
      expect(await list(cookie)).toHaveLength(1);
    });

    it('sign nobody in by what is listed', async () => {
      for (const { id } of await list(first)) expect((await app.me(`session=${id}`)).status).toBe(401);
    });

    it('are told to nobody who is not signed in', async () => {
      expect((await app.send('GET', '/auth/sessions')).status).toBe(401);
    });
  });

  describe('ended one by one', () => {
    it('leave the others signed in', async () => {
      const answer = await send('DELETE', `/auth/sessions/${await idOf(first)}`, second);
      expect(answer).toMatchObject({ status: 204, body: null });
      expect(answer.headers.getSetCookie()).toEqual([]);
      expect((await app.me(first)).status).toBe(401);
      expect((await app.me(second)).status).toBe(200);
    });

    it('take the cookie along when it is the session that asks', async () => {
      const answer = await send('DELETE', `/auth/sessions/${await idOf(first)}`, first);
      expect(answer.status).toBe(204);
      expect(answer.headers.getSetCookie()).toEqual([expect.stringContaining('session=; Max-Age=0')]);
      expect((await app.me(first)).status).toBe(401);
      expect((await app.me(second)).status).toBe(200);
    });

    it('can’t be somebody else’s, and nobody learns whether there is such a one', async () => {
      const { cookie: stranger } = await app.register();
      const foreign = await send('DELETE', `/auth/sessions/${await idOf(first)}`, stranger);
      const unknown = await send('DELETE', `/auth/sessions/${'A'.repeat(43)}`, stranger);
      expect(foreign).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
      expect({ ...foreign.body, requestId: '' }).toEqual({
        ...unknown.body,
        requestId: '',
        timestamp: expect.any(String),
      });
      expect((await app.me(first)).status).toBe(200);
    });

    it.each(['x', '..%2f', '%27%3B--', '*'])('are not named %s', async (id) => {
      expect((await send('DELETE', `/auth/sessions/${id}`, first)).status).toBe(400);
      expect((await app.me(first)).status).toBe(200);
    });

    it('stay when a foreign page asks', async () => {
      const answer = await app.send('DELETE', `/auth/sessions/${await idOf(first)}`, {
        headers: { cookie: first, origin: 'https://evil.example' },
      });
      expect(answer).toMatchObject({ status: 403, body: { code: 'CSRF_REJECTED' } });
      expect((await app.me(first)).status).toBe(200);
    });
  });

  describe('ended all at once', () => {
    it('are all dead, on every replica, and the browser forgets its own', async () => {
      await using replica = await AuthApp.start({ database: app.database, env: env() });
      const heard: SessionRevocation[] = [];
      replica.get(SessionRevocations).subscribe((revocation) => heard.push(revocation));
      const { cookie: stranger } = await app.register();
      const answer = await send('POST', '/auth/logout-all', first);
      expect(answer).toMatchObject({ status: 204, body: null });
      expect(answer.headers.getSetCookie()).toEqual([expect.stringContaining('session=; Max-Age=0')]);
      for (const cookie of [first, second]) expect((await replica.me(cookie)).status).toBe(401);
      expect((await replica.me(stranger)).status).toBe(200);
      await eventually(
        async () => expect(heard).toContainEqual({ userId: expect.any(String), sessionHash: null }),
        1000,
      );
    });

    it('end the gateway tokens too', async () => {
      const before = await tokenGeneration(app, email);
      await send('POST', '/auth/logout-all', first);
      expect(await tokenGeneration(app, email)).toBe(Number(before) + 1);
    });

    it('need somebody who is signed in', async () => {
      expect((await app.send('POST', '/auth/logout-all')).status).toBe(401);
    });
  });
});

function at(ms: number): string {
  return new Date(ms).toISOString();
}

async function tokenGeneration(app: AuthApp, email: string): Promise<number | undefined> {
  return (await app.get(DataSource).getRepository(User).findOneBy({ email }))?.tokenGeneration;
}
