import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { LoginStates } from './login-states.js';
import { SessionStore } from './session-store.js';
import { SessionSweeper } from './session-sweeper.js';

/** A store whose sweep ends when the test says so. */
class SlowStore extends SessionStore {
  sweeps: Array<PromiseWithResolvers<number>> = [];

  override sweep(): Promise<number> {
    const sweep = Promise.withResolvers<number>();
    this.sweeps.push(sweep);
    return sweep.promise;
  }

  override create = jest.fn<SessionStore['create']>();
  override find = jest.fn<SessionStore['find']>();
  override touch = jest.fn<SessionStore['touch']>();
  override revoke = jest.fn<SessionStore['revoke']>();
  override list = jest.fn<SessionStore['list']>();
  override tokensOf = jest.fn<SessionStore['tokensOf']>();
  override replaceTokens = jest.fn<SessionStore['replaceTokens']>();
  override revokeAll = jest.fn<SessionStore['revokeAll']>();
  override revokeOthers = jest.fn<SessionStore['revokeOthers']>();
}

class NoLogins extends LoginStates {
  sweeps = 0;

  override async sweep(): Promise<number> {
    this.sweeps++;
    return 0;
  }

  override put = jest.fn<LoginStates['put']>();
  override take = jest.fn<LoginStates['take']>();
}

describe('SessionSweeper', () => {
  beforeAll(() => Logger.overrideLogger(false));

  it('never runs twice at once, and runs again afterwards', async () => {
    const store = new SlowStore();
    const sweeper = new SessionSweeper(store, new NoLogins());
    const passes = [sweeper.sweep(), sweeper.sweep(), sweeper.sweep()];
    expect(store.sweeps).toHaveLength(1);
    store.sweeps[0]?.resolve(0);
    await Promise.all(passes);
    void sweeper.sweep();
    expect(store.sweeps).toHaveLength(2);
  });

  it('lets a pass under way end before the server does', async () => {
    const store = new SlowStore();
    const sweeper = new SessionSweeper(store, new NoLogins());
    void sweeper.sweep();
    const ended: string[] = [];
    const sweep = store.sweeps[0];
    const stopping = sweeper.onModuleDestroy().finally(() => ended.push('server'));
    void sweep?.promise.finally(() => ended.push('pass'));
    await Promise.resolve();
    sweep?.resolve(0);
    await stopping;
    expect(ended).toEqual(['pass', 'server']);
  });

  it('sweeps the sign-ins that nobody finished as well', async () => {
    const store = new SlowStore();
    const logins = new NoLogins();
    const pass = new SessionSweeper(store, logins).sweep();
    store.sweeps[0]?.resolve(0);
    await pass;
    expect(logins.sweeps).toBe(1);
  });

  it('survives a database that is away', async () => {
    const store = new SlowStore();
    const sweeper = new SessionSweeper(store, new NoLogins());
    const pass = sweeper.sweep();
    store.sweeps[0]?.reject(new Error('gone'));
    await expect(pass).resolves.toBeUndefined();
    void sweeper.sweep();
    expect(store.sweeps).toHaveLength(2);
  });
});
