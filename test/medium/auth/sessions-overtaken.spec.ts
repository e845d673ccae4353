import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { SessionsService, SessionStore } from '#auth';
import { AuthApp } from '../../support/auth-app.js';
import { eventually } from '../../support/eventually.js';
import { describeOverStores } from '../../support/over-stores.js';
import { waitingForLocks } from '../../support/waiting-for-locks.js';

describeOverStores('a sign-in that all sessions end under', (env) => {
  let app: AuthApp;
  let store: SessionStore;
  beforeAll(async () => {
    app = await AuthApp.start({ env: env() });
    store = app.get(SessionStore);
  });
  afterAll(() => app[Symbol.asyncDispose]());

  const REFUSED = { status: 401, body: { code: 'INVALID_CREDENTIALS' } };

  it('opens none after the password was checked and before there was one', async () => {
    const { email, body } = await app.register();
    const { id } = body.user;
    const create = store.create.bind(store);
    jest.spyOn(store, 'create').mockImplementationOnce(async (session) => {
      await app.get(SessionsService).endAll(id);
      await create(session);
    });
    expect(await app.login(email)).toMatchObject(REFUSED);
    expect(await store.list(id)).toEqual([]);
    expect((await app.login(email)).status).toBe(200);
  });

  it('opens none for somebody who has just signed up', async () => {
    const create = store.create.bind(store);
    let userId = '';
    jest.spyOn(store, 'create').mockImplementationOnce(async (session) => {
      ({ userId } = session);
      await app.get(SessionsService).endAll(userId);
      await create(session);
    });
    const { email, ...answer } = await app.register();
    expect(answer).toMatchObject({ cookie: '', body: { code: 'REGISTERED_NOT_SIGNED_IN' } });
    expect(await store.list(userId)).toEqual([]);
    expect((await app.login(email)).status).toBe(200);
  });

  it('opens none while they have ended and nobody else can see it yet', async () => {
    const { email, body } = await app.register();
    const { id } = body.user;
    const [ended, commit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const revokeAll = store.revokeAll.bind(store);
    jest.spyOn(store, 'revokeAll').mockImplementationOnce(async (...args) => {
      await revokeAll(...args);
      ended.resolve();
      await commit.promise;
    });
    const ending = app.get(SessionsService).endAll(id);
    await ended.promise;
    const login = app.login(email);
    await eventually(async () => expect(await waitingForLocks(app)).toBe(1));
    commit.resolve();
    await ending;
    expect(await login).toMatchObject(REFUSED);
    expect(await store.list(id)).toEqual([]);
  });
});
