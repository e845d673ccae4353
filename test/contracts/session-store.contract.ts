import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  hashSessionId,
  newSessionId,
  type NewSession,
  type ProviderTokens,
  type SessionRevocation,
  type SessionStore,
  TOUCH_INTERVAL_MS,
} from '#auth';
import type { AppConfig } from '#config';
import type { DataSource } from 'typeorm';
import type { TestClock } from '../support/test-clock.js';

export interface SessionStoreUnderTest extends AsyncDisposable {
  readonly store: SessionStore;
  /** The same store as another replica has it. */
  readonly replica: SessionStore;
  readonly clock: TestClock;
  readonly terms: AppConfig['session'];
  /** PostgreSQL as `store` has it. */
  readonly dataSource: DataSource;
  /** Every revocation `store` told its own process of; what comes back from the replicas is not among them. */
  readonly heardHere: readonly SessionRevocation[];
  /** Every revocation the replica was told of. */
  readonly heardByReplica: readonly SessionRevocation[];
  createUser(): Promise<{ id: string; email: string }>;
  changeUser(id: string, change: { disabledAt?: Date; role?: 'admin' }): Promise<void>;
  /** Waits until what was announced has come through. */
  settle(): Promise<void>;
  /** All that the store keeps, as whoever steals a dump of it would read it. */
  dump(): Promise<Buffer>;
}

const MINUTE_MS = 60_000;

const TOKENS: ProviderTokens = {
  accessToken: 'the-access-token',
  refreshToken: 'the-refresh-token',
  idToken: 'the-id-token',
  obtainedAtMs: 1_789_996_400_000,
  accessExpiresAtMs: 1_790_000_000_000,
  scope: 'openid email',
};

/** What every {@link SessionStore} does, whatever keeps the sessions. */
export function sessionStoreContract(name: string, start: () => Promise<SessionStoreUnderTest>): void {
  describe(`a session store in ${name}`, () => {
    let under: SessionStoreUnderTest;
    let user: { id: string; email: string };
    let ttlMs: number;
    beforeAll(async () => {
      under = await start();
      ttlMs = under.terms.ttlMs;
    });
    beforeEach(async () => {
      user = await under.createUser();
    });
    afterAll(async () => {
      await under[Symbol.asyncDispose]();
    });

    /** Opened by password, unless something else is said. */
    async function open(session: Partial<NewSession> = {}): Promise<string> {
      const hash = hashSessionId(newSessionId());
      await under.store.create({
        hash,
        userId: user.id,
        kind: 'password',
        subject: null,
        tokens: null,
        ip: '203.0.113.7',
        userAgent: 'test',
        ...session,
      });
      return hash;
    }

    const openByProvider = (): Promise<string> =>
      open({ kind: 'oidc', subject: 'provider|7', tokens: TOKENS });

    describe('finding', () => {
      it('gives a session with its user, on every replica', async () => {
        const hash = await open();
        const expected = {
          kind: 'session',
          sessionHash: hash,
          expiresAt: new Date(under.clock.nowMs() + ttlMs),
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
        await open({ hash: hashSessionId(id) });
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
          const hash = await open({ ip, userAgent: 'ü'.repeat(10_000) });
          expect(await under.store.find(hash)).not.toBeNull();
        }
      });

      it('knows a session by OIDC by the provider’s name for the user', async () => {
        expect(await under.store.find(await openByProvider())).toMatchObject({
          sessionKind: 'oidc',
          subject: 'provider|7',
        });
      });
    });

    describe('time', () => {
      it('ends a session that was not used for its whole term', async () => {
        const hash = await open();
        under.clock.advance(ttlMs - 1);
        expect(await under.store.find(hash)).not.toBeNull();
        under.clock.advance(1);
        expect(await under.store.find(hash)).toBeNull();
      });

      it('gives a session another term when it is touched', async () => {
        const hash = await open();
        under.clock.advance(ttlMs - 1);
        expect(await under.store.touch(hash)).toBe(true);
        under.clock.advance(ttlMs - 1);
        expect(await under.store.find(hash)).not.toBeNull();
      });

      it('gives a session by OIDC its own, shorter term, at its beginning and at each touch', async () => {
        const hash = await openByProvider();
        const expiry = async () => (await under.store.find(hash))?.expiresAt.getTime();
        expect(under.terms.oidcTtlMs).toBeLessThan(ttlMs);
        expect(await expiry()).toBe(under.clock.nowMs() + under.terms.oidcTtlMs);
        under.clock.advance(under.terms.oidcTtlMs - 1);
        expect(await under.store.touch(hash)).toBe(true);
        expect(await expiry()).toBe(under.clock.nowMs() + under.terms.oidcTtlMs);
        under.clock.advance(under.terms.oidcTtlMs);
        expect(await under.store.find(hash)).toBeNull();
      });

      it('does not write at every touch, unless it is told to', async () => {
        const hash = await open();
        const opened = under.clock.nowMs();
        const expiry = async () => (await under.store.find(hash))?.expiresAt.getTime();
        under.clock.advance(TOUCH_INTERVAL_MS - 1);
        expect(await under.store.touch(hash)).toBe(true);
        expect(await expiry()).toBe(opened + ttlMs);
        expect(await under.store.touch(hash, 0)).toBe(true);
        expect(await expiry()).toBe(under.clock.nowMs() + ttlMs);
        under.clock.advance(TOUCH_INTERVAL_MS);
        expect(await under.store.touch(hash)).toBe(true);
        expect(await expiry()).toBe(under.clock.nowMs() + ttlMs);
      });

      it('does not bring a session back by touching it', async () => {
        const expired = await open();
        const revoked = await open();
        await under.store.revoke(revoked);
        under.clock.advance(ttlMs);
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
        const theirs = await open({ userId: other.id });
        const mine = [await open(), await open()];
        await under.store.revokeAll(user.id);
        for (const hash of mine) expect(await under.replica.find(hash)).toBeNull();
        expect(await under.replica.find(theirs)).not.toBeNull();
        await under.settle();
        expect(under.heardByReplica).toContainEqual({ userId: user.id, sessionHash: null });
      });

      it('ends all sessions of a user but one, and says which goes on', async () => {
        const other = await under.createUser();
        const theirs = await open({ userId: other.id });
        const [kept, ...gone] = [await open(), await open(), await openByProvider()];
        await under.store.revokeOthers(user.id, kept);
        for (const hash of gone) expect(await under.replica.find(hash)).toBeNull();
        expect(await under.replica.find(kept)).not.toBeNull();
        expect(await under.replica.find(theirs)).not.toBeNull();
        const revocation = { userId: user.id, sessionHash: null, exceptHash: kept };
        expect(under.heardHere).toContainEqual(revocation);
        await under.settle();
        expect(under.heardByReplica).toContainEqual(revocation);
      });

      it('lets nobody keep a session of another user by naming it', async () => {
        const theirs = await open({ userId: (await under.createUser()).id });
        const mine = await open();
        await under.store.revokeOthers(user.id, theirs);
        expect(await under.store.find(mine)).toBeNull();
        expect(await under.store.find(theirs)).not.toBeNull();
      });

      it('ends every one of many sessions opened at that very time, or leaves it whole', async () => {
        const opening = Array.from({ length: 20 }, () => open());
        await Promise.all([...opening, under.store.revokeAll(user.id)]);
        const hashes = await Promise.all(opening);
        const live = await Promise.all(hashes.map((hash) => under.store.find(hash)));
        const listed = (await under.store.list(user.id)).map(({ id }) => id);
        expect(listed.toSorted()).toEqual(hashes.filter((_, i) => live[i] !== null).toSorted());
        await under.store.revokeAll(user.id);
        expect(await under.store.list(user.id)).toEqual([]);
      });

      it('tells the replicas when the transaction it belongs to commits', async () => {
        const hash = await open();
        await under.dataSource.transaction(async (manager) => {
          await under.store.revokeAll(user.id, manager);
          await under.settle();
          expect(under.heardByReplica).not.toContainEqual({ userId: user.id, sessionHash: null });
        });
        expect(await under.replica.find(hash)).toBeNull();
        await under.settle();
        expect(under.heardByReplica).toContainEqual({ userId: user.id, sessionHash: null });
      });

      it('tells of a user without sessions too: a repeated request must reach who missed the first', async () => {
        await under.store.revokeAll(user.id);
        await under.settle();
        expect(under.heardByReplica).toContainEqual({ userId: user.id, sessionHash: null });
      });
    });

    describe('listing', () => {
      it('lists the live sessions of one user, the one used last first', async () => {
        await open({ userId: (await under.createUser()).id });
        const first = await open({ ip: '2001:db8::7', userAgent: null });
        under.clock.advance(MINUTE_MS);
        const second = await openByProvider();
        under.clock.advance(MINUTE_MS);
        const opened = under.clock.nowMs() - 2 * MINUTE_MS;
        await under.store.touch(first);
        expect(await under.replica.list(user.id)).toEqual([
          {
            id: first,
            kind: 'password',
            createdAt: new Date(opened),
            lastSeenAt: under.clock.now(),
            expiresAt: new Date(under.clock.nowMs() + ttlMs),
            ip: '2001:db8::7',
            userAgent: null,
          },
          {
            id: second,
            kind: 'oidc',
            createdAt: new Date(opened + MINUTE_MS),
            lastSeenAt: new Date(opened + MINUTE_MS),
            expiresAt: new Date(opened + MINUTE_MS + under.terms.oidcTtlMs),
            ip: '203.0.113.7',
            userAgent: 'test',
          },
        ]);
      });

      it('lists none that has expired or was revoked', async () => {
        const revoked = await open();
        const expired = await openByProvider();
        under.clock.advance(under.terms.oidcTtlMs);
        const live = await open();
        await under.store.revoke(revoked);
        const listed = (await under.store.list(user.id)).map(({ id }) => id);
        expect(listed).toEqual([live]);
        expect(listed).not.toContain(expired);
      });

      it('lists nothing for a user who has none', async () => {
        expect(await under.store.list(user.id)).toEqual([]);
      });
    });

    describe('the provider’s tokens', () => {
      it('gives them back on every replica, and none for a session by password', async () => {
        expect(await under.replica.tokensOf(await openByProvider())).toEqual(TOKENS);
        expect(await under.replica.tokensOf(await open())).toBeNull();
        expect(await under.replica.tokensOf(hashSessionId('never there'))).toBeNull();
      });

      it('replaces them, and keeps the session as it is otherwise', async () => {
        const hash = await openByProvider();
        const before = await under.store.find(hash);
        const next = { ...TOKENS, accessToken: 'the-next-access-token', refreshToken: null };
        expect(await under.store.replaceTokens(hash, next)).toBe(true);
        expect(await under.replica.tokensOf(hash)).toEqual(next);
        expect(await under.store.find(hash)).toEqual(before);
      });

      it('keeps none for a session that is gone', async () => {
        const [revoked, expired] = [await openByProvider(), await openByProvider()];
        await under.store.revoke(revoked);
        under.clock.advance(under.terms.oidcTtlMs);
        for (const hash of [revoked, expired, hashSessionId('never there')]) {
          expect(await under.store.replaceTokens(hash, TOKENS)).toBe(false);
          expect(await under.store.tokensOf(hash)).toBeNull();
          expect(await under.store.find(hash)).toBeNull();
        }
      });

      it('keeps no token and no session id in clear', async () => {
        const id = newSessionId();
        await open({ hash: hashSessionId(id), kind: 'oidc', subject: 'provider|8', tokens: TOKENS });
        const dump = await under.dump();
        expect(dump.includes('provider|8')).toBe(true);
        for (const secret of [id, Buffer.from(id, 'base64url'), 'the-access', 'the-refresh', 'the-id']) {
          expect(dump.includes(secret)).toBe(false);
        }
      });
    });

    it('sweeps nothing that lives', async () => {
      await open();
      under.clock.advance(ttlMs - MINUTE_MS);
      const live = await open();
      under.clock.advance(MINUTE_MS);
      await under.store.sweep();
      expect(await under.store.sweep()).toBe(0);
      expect(await under.store.find(live)).not.toBeNull();
    });
  });
}
