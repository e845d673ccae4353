import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  hashSessionId,
  newSessionId,
  type SessionRevocation,
  type SessionStore,
  TOUCH_INTERVAL_MS,
} from '#auth';
import type { TestClock } from '../support/test-clock.js';

export interface SessionStoreUnderTest extends AsyncDisposable {
  readonly store: SessionStore;
  /** The same store as another replica has it. */
  readonly replica: SessionStore;
  readonly clock: TestClock;
  readonly ttlMs: number;
  /** Every revocation `store` told its own process of; what comes back from the replicas is not among them. */
  readonly heardHere: readonly SessionRevocation[];
  /** Every revocation the replica was told of. */
  readonly heardByReplica: readonly SessionRevocation[];
  createUser(): Promise<{ id: string; email: string }>;
  changeUser(id: string, change: { disabledAt?: Date; role?: 'admin' }): Promise<void>;
  /** Waits until what was announced has come through. */
  settle(): Promise<void>;
}

const MINUTE_MS = 60_000;

/** What every {@link SessionStore} does, whatever keeps the sessions. */
export function sessionStoreContract(name: string, start: () => Promise<SessionStoreUnderTest>): void {
  describe(`a session store in ${name}`, () => {
    let under: SessionStoreUnderTest;
    let user: { id: string; email: string };
    beforeAll(async () => {
      under = await start();
    });
    beforeEach(async () => {
      user = await under.createUser();
    });
    afterAll(async () => {
      await under[Symbol.asyncDispose]();
    });

    async function open(userId = user.id): Promise<string> {
      const hash = hashSessionId(newSessionId());
      await under.store.create({ hash, userId, ip: '203.0.113.7', userAgent: 'test' });
      return hash;
    }

    describe('finding', () => {
      it('gives a session with its user, on every replica', async () => {
        const hash = await open();
        const expected = {
          kind: 'session',
          sessionHash: hash,
          expiresAt: new Date(under.clock.nowMs() + under.ttlMs),
          lastSeenAt: under.clock.now(),
          subject: user.id,
          sessionKind: 'password',
          user: {
            id: user.id,
            email: user.email,
            name: null,
            role: 'member',
            emailVerified: false,
            totpEnabled: false,
          },
        };
        expect(await under.store.find(hash)).toEqual(expected);
        expect(await under.replica.find(hash)).toEqual(expected);
      });

      it.each(['', 'x', 'A'.repeat(43), "'; --", 'ü'.repeat(43)])('knows nothing of %j', async (hash) => {
        expect(await under.store.find(hash)).toBeNull();
      });

      it('does not find a session by its id', async () => {
        const id = newSessionId();
        await under.store.create({ hash: hashSessionId(id), userId: user.id, ip: '::1', userAgent: null });
        expect(await under.store.find(id)).toBeNull();
      });

      it('finds no session of a disabled user', async () => {
        const hash = await open();
        await under.changeUser(user.id, { disabledAt: under.clock.now() });
        expect(await under.store.find(hash)).toBeNull();
      });

      it('gives the user as they are now', async () => {
        const hash = await open();
        await under.changeUser(user.id, { role: 'admin' });
        expect(await under.store.find(hash)).toMatchObject({ user: { role: 'admin' } });
      });

      it('takes any peer and any user agent', async () => {
        for (const ip of ['203.0.113.7', '2001:db8::7', 'fe80::1%eth0', '0.0.0.0']) {
          const hash = hashSessionId(newSessionId());
          await under.store.create({ hash, userId: user.id, ip, userAgent: 'ü'.repeat(10_000) });
          expect(await under.store.find(hash)).not.toBeNull();
        }
      });
    });

    describe('time', () => {
      it('ends a session that was not used for its whole term', async () => {
        const hash = await open();
        under.clock.advance(under.ttlMs - 1);
        expect(await under.store.find(hash)).not.toBeNull();
        under.clock.advance(1);
        expect(await under.store.find(hash)).toBeNull();
      });

      it('gives a session another term when it is touched', async () => {
        const hash = await open();
        under.clock.advance(under.ttlMs - 1);
        expect(await under.store.touch(hash)).toBe(true);
        under.clock.advance(under.ttlMs - 1);
        expect(await under.store.find(hash)).not.toBeNull();
      });

      it('does not write at every touch, unless it is told to', async () => {
        const hash = await open();
        const opened = under.clock.nowMs();
        const expiry = async () => (await under.store.find(hash))?.expiresAt.getTime();
        under.clock.advance(TOUCH_INTERVAL_MS - 1);
        expect(await under.store.touch(hash)).toBe(true);
        expect(await expiry()).toBe(opened + under.ttlMs);
        expect(await under.store.touch(hash, 0)).toBe(true);
        expect(await expiry()).toBe(under.clock.nowMs() + under.ttlMs);
        under.clock.advance(TOUCH_INTERVAL_MS);
        expect(await under.store.touch(hash)).toBe(true);
        expect(await expiry()).toBe(under.clock.nowMs() + under.ttlMs);
      });

      it('does not bring a session back by touching it', async () => {
        const expired = await open();
        const revoked = await open();
        await under.store.revoke(revoked);
        under.clock.advance(under.ttlMs);
        for (const hash of [expired, revoked, hashSessionId('never there')]) {
          expect(await under.store.touch(hash)).toBe(false);
          expect(await under.store.find(hash)).toBeNull();
        }
      });
    });

    describe('revoking', () => {
      it('ends that one session, and tells every replica', async () => {
        const [hash, other] = [await open(), await open()];
        await under.store.revoke(hash);
        expect(await under.replica.find(hash)).toBeNull();
        expect(await under.replica.find(other)).not.toBeNull();
        await under.settle();
        expect(under.heardByReplica).toContainEqual({ userId: user.id, sessionHash: hash });
      });

      it('has told its own process before it resolves, so that an answer can promise it', async () => {
        const hash = await open();
        await under.store.revoke(hash);
        expect(under.heardHere).toContainEqual({ userId: user.id, sessionHash: hash });
        await under.store.revokeAll(user.id);
        expect(under.heardHere).toContainEqual({ userId: user.id, sessionHash: null });
      });

      it('may be repeated', async () => {
        const hash = await open();
        await under.store.revoke(hash);
        await under.store.revoke(hash);
        await under.store.revoke('never there');
        expect(await under.store.find(hash)).toBeNull();
      });

      it('ends all sessions of a user and nobody else’s, and tells every replica', async () => {
        const other = await under.createUser();
        const theirs = await open(other.id);
        const mine = [await open(), await open()];
        await under.store.revokeAll(user.id);
        for (const hash of mine) expect(await under.replica.find(hash)).toBeNull();
        expect(await under.replica.find(theirs)).not.toBeNull();
        await under.settle();
        expect(under.heardByReplica).toContainEqual({ userId: user.id, sessionHash: null });
      });

      it('tells of a user without sessions too: a repeated request must reach who missed the first', async () => {
        await under.store.revokeAll(user.id);
        await under.settle();
        expect(under.heardByReplica).toContainEqual({ userId: user.id, sessionHash: null });
      });
    });

    it('sweeps what has expired and nothing else', async () => {
      await under.store.sweep();
      await open();
      await open();
      under.clock.advance(under.ttlMs - MINUTE_MS);
      const live = await open();
      under.clock.advance(MINUTE_MS);
      expect(await under.store.sweep()).toBeGreaterThanOrEqual(2);
      expect(await under.store.sweep()).toBe(0);
      expect(await under.store.find(live)).not.toBeNull();
    });
  });
}
