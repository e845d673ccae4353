import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { hashSessionId } from '#auth';
import { ControlConnection } from '#database';
import { VisitorCache } from '../../../libs/proxy/src/edge/visitor-cache.js';
import { allHeard } from '../../support/all-heard.js';
import { assign, ASSIGNED_SLICES, customerWith, type Customer } from '../../support/assigned-slices.js';
import { terminateControl } from '../../support/control.js';
import { eventually } from '../../support/eventually.js';
import type { Gateway } from '../../support/gateway.js';
import { type HeldSessions, startWithHeldSessions } from '../../support/held-sessions.js';

let gateway: Gateway;
let cache: VisitorCache;
let sessions: HeldSessions;
let customer: Customer;
let hash: string;

beforeAll(async () => {
  ({ gateway, sessions } = await startWithHeldSessions(ASSIGNED_SLICES));
  cache = gateway.get(VisitorCache);
}, 30_000);

afterAll(() => gateway[Symbol.asyncDispose]());

beforeEach(async () => {
  await healthy();
  customer = await customerWith(gateway, { port: 1000 });
  hash = hashSessionId(customer.browser.cookie.split('=')[1] ?? '');
  await allHeard(gateway);
  sessions.reads = 0;
});

afterEach(() => sessions.release());

async function healthy(): Promise<void> {
  await eventually(async () => expect(gateway.get(ControlConnection).healthy).toBe(true));
}

/** Ends the session as another replica does, of which this one hears nothing. */
async function revokeUnheard(): Promise<void> {
  await gateway.get(DataSource).query('DELETE FROM session WHERE user_id = $1', [customer.userId]);
}

async function portNow(): Promise<unknown> {
  return (await cache.find(hash))?.upstream;
}

describe('the cache of visitors', () => {
  it('reads a session once, and knows it from then on', async () => {
    expect(cache.get(hash)).toBeUndefined();
    const visitor = await cache.find(hash);
    expect(visitor?.principal.user.email).toBe(customer.email);
    expect(cache.get(hash)).toBe(visitor);
    expect(await cache.find(hash)).toBe(visitor);
    expect(sessions.reads).toBe(1);
  });

  it('makes one look-up for all who ask at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => cache.find(hash)));
    expect(new Set(all).size).toBe(1);
    expect(sessions.reads).toBe(1);
  });

  it('does not know a session that does not exist, and asks again', async () => {
    expect(await cache.find('unknown')).toBeNull();
    expect(await cache.find('unknown')).toBeNull();
    expect(sessions.reads).toBe(2);
  });

  it('does not let in, nor keep, whom a logout overtook between read and answer', async () => {
    const reading = sessions.hold();
    const found = cache.find(hash);
    await reading;
    await sessions.revoke(hash);
    sessions.release();
    expect(await found).toBeNull();
    expect(cache.get(hash)).toBeUndefined();
  });

  it('does not let a newcomer share a look-up that a logout has overtaken', async () => {
    const reading = sessions.hold();
    const first = cache.find(hash);
    await reading;
    await sessions.revoke(hash);
    const second = cache.find(hash);
    sessions.release();
    expect(await Promise.all([first, second])).toEqual([null, null]);
  });

  it('keeps what was read while somebody else signed out', async () => {
    const other = await customerWith(gateway, null);
    const reading = sessions.hold();
    const found = cache.find(hash);
    await reading;
    await sessions.revokeAll(other.userId);
    sessions.release();
    expect(cache.get(hash)).toBeUndefined();
    expect(await found).toBe(cache.get(hash));
  });

  it('sends nobody to where the slice was before it moved between read and answer', async () => {
    const reading = sessions.hold();
    const found = portNow();
    await reading;
    await assign(gateway, customer.userId, { port: 1001 });
    sessions.release();
    expect(await found).toMatchObject({ port: 1001 });
  });

  it('forgets where the slice was as soon as it moves', async () => {
    expect(await portNow()).toMatchObject({ port: 1000 });
    await assign(gateway, customer.userId, { port: 1002 });
    await eventually(async () => expect(await portNow()).toMatchObject({ port: 1002 }), 1000);
  });

  it('makes no more look-ups at once than half of the pool, and refuses a flood of them', async () => {
    const reading = sessions.hold();
    const flood = Array.from({ length: 1_010 }, (_, i) => cache.find(`bogus-${i}`));
    const ends = Promise.allSettled(flood);
    await reading;
    expect(sessions.reads).toBeLessThanOrEqual(gateway.config.database.poolMax / 2);
    sessions.release();
    const refused = (await ends).filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThanOrEqual(10);
    expect(refused[0]).toMatchObject({ reason: { code: 'DATABASE_UNAVAILABLE', retryAfterSeconds: 1 } });
  });

  it('knows when a session was last extended, however often it is read', async () => {
    await gateway
      .get(DataSource)
      .query("UPDATE session SET last_seen_at = now() - interval '1 hour' WHERE user_id = $1", [
        customer.userId,
      ]);
    const visitor = await cache.find(hash);
    expect(Date.now() - (visitor?.touchedAt ?? 0)).toBeGreaterThan(3_590_000);
  });

  it('does not know a session beyond its end', async () => {
    await gateway
      .get(DataSource)
      .query("UPDATE session SET expires_at = now() + interval '300 ms' WHERE user_id = $1", [
        customer.userId,
      ]);
    expect(await cache.find(hash)).not.toBeNull();
    await eventually(async () => expect(await cache.find(hash)).toBeNull(), 1000);
  });
});

describe('the cache while notifications may be lost', () => {
  it('neither uses nor keeps anything', async () => {
    await cache.find(hash);
    await terminateControl(gateway.database);
    await eventually(async () => expect(gateway.get(ControlConnection).healthy).toBe(false));
    expect(cache.get(hash)).toBeUndefined();
    await revokeUnheard();
    expect(await cache.find(hash)).toBeNull();
  });

  it('forgets everything before it is used again', async () => {
    await cache.find(hash);
    await terminateControl(gateway.database);
    await eventually(async () => expect(gateway.get(ControlConnection).healthy).toBe(false));
    await revokeUnheard();
    await healthy();
    expect(cache.get(hash)).toBeUndefined();
  });

  it('does not keep what was read before they came back', async () => {
    const reading = sessions.hold();
    const found = cache.find(hash);
    await reading;
    await terminateControl(gateway.database);
    await eventually(async () => expect(gateway.get(ControlConnection).healthy).toBe(false));
    await revokeUnheard();
    await healthy();
    sessions.release();
    expect(await found).toBeNull();
    expect(cache.get(hash)).toBeUndefined();
  });

  it('lets nobody share a look-up that began before them', async () => {
    await terminateControl(gateway.database);
    await eventually(async () => expect(gateway.get(ControlConnection).healthy).toBe(false));
    const reading = sessions.hold();
    const first = cache.find(hash);
    await reading;
    await revokeUnheard();
    const second = cache.find(hash);
    sessions.release();
    expect(await second).toBeNull();
    await first;
  });
});
