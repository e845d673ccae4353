import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { type ControlConnection, Election } from '#database';
import { eventually } from '../../support/eventually.js';
import { controlOf, terminateControl } from '../../support/control.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.js';

describe('locks of the control connection', () => {
  let database: TestDatabase;
  let one: ControlConnection;
  let two: ControlConnection;

  beforeEach(async () => {
    database = await createTestDatabase();
    [one, two] = await Promise.all([controlOf(database), controlOf(database)]);
  });
  afterEach(async () => {
    await Promise.all([one.stop(), two.stop()]);
    await database.drop();
  });

  it('are held by one replica at a time', async () => {
    const held = await one.tryLock('slice:1');

    expect(await two.tryLock('slice:1')).toBeNull();
    expect(await two.tryLock('slice:2')).not.toBeNull();
    await held?.release();
    expect(await two.tryLock('slice:1')).not.toBeNull();
  });

  it('are held by one caller at a time within a replica, whose session could take them twice', async () => {
    const held = await one.tryLock('slice:1');

    expect(await one.tryLock('slice:1')).toBeNull();
    await held?.release();
    expect(await one.tryLock('slice:1')).not.toBeNull();
  });

  it('are free after a release that was called twice', async () => {
    const held = await one.tryLock('slice:1');
    await Promise.all([held?.release(), held?.release()]);
    const next = await one.tryLock('slice:1');
    await held?.release();

    expect(await two.tryLock('slice:1')).toBeNull();
    await next?.release();
  });

  it('are free when the block that used them ends', async () => {
    {
      await using held = await one.acquire('slice:1');
      expect(held.signal.aborted).toBe(false);
      expect(await two.tryLock('slice:1')).toBeNull();
    }

    expect(await two.tryLock('slice:1')).not.toBeNull();
  });

  it('go to who asked first within a replica', async () => {
    const order: number[] = [];
    await Promise.all(
      [1, 2, 3].map(async (each) => {
        const lock = await one.acquire('slice:1');
        order.push(each);
        await lock.release();
      }),
    );

    expect(order).toEqual([1, 2, 3]);
  });

  it('are waited for until another replica frees them', async () => {
    const held = await one.acquire('slice:1');
    const waiting = two.acquire('slice:1', { timeoutMs: 5000 });
    await held.release();

    expect((await waiting).signal.aborted).toBe(false);
  });

  it('are waited for no longer than asked, and those behind in the line still get their turn', async () => {
    const held = await one.acquire('slice:1');
    const giveUp = new AbortController();
    const impatient = one.acquire('slice:1', { signal: giveUp.signal });
    const patient = one.acquire('slice:1');
    giveUp.abort(new Error('enough'));

    await expect(impatient).rejects.toThrow('enough');
    await expect(two.acquire('slice:1', { timeoutMs: 50 })).rejects.toMatchObject({ name: 'TimeoutError' });
    await held.release();
    await expect(patient).resolves.toBeDefined();
  });

  it('tell every holder when they are lost with the connection, and can be taken by another replica', async () => {
    const held = await Promise.all(['slice:1', 'slice:2'].map((key) => one.acquire(key)));
    const told = Promise.all(held.map(({ signal }) => once(signal, 'abort')));
    await terminateControl(database);
    await told;

    await expect(eventually(() => two.acquire('slice:1'))).resolves.toBeDefined();
    await expect(held[0]?.release()).resolves.toBeUndefined();
  });

  it('are refused with 503 while there is no connection', async () => {
    await one.stop();

    await expect(one.tryLock('slice:1')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(await two.tryLock('slice:1')).not.toBeNull();
  });

  it('are taken a hundred at once', async () => {
    const locks = await Promise.all(Array.from({ length: 100 }, (_, each) => one.tryLock(`slice:${each}`)));

    expect(locks).not.toContain(null);
  });

  it('elect one replica, and another when that is lost', async () => {
    const ran: string[] = [];
    const elections = [one, two].map((control) => new Election(control, 'monitor'));
    const finished = elections.map((election, replica) =>
      election.run(async (signal) => {
        ran.push(`${replica} begins`);
        await once(signal, 'abort');
        ran.push(`${replica} ends`);
      }),
    );
    await eventually(async () => expect(ran).toHaveLength(1));
    const first = Number(ran[0]?.[0]);
    await elections[first]?.stop();
    await eventually(async () => expect(ran).toHaveLength(3));

    expect(ran).toEqual([`${first} begins`, `${first} ends`, `${1 - first} begins`]);
    await Promise.all(elections.map((each) => each.stop()));
    await Promise.all(finished);
  });
});
