import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ControlConnection } from '#database';
import { eventually } from '../../support/eventually.js';
import { controlOf, controlPids, terminateControl } from '../../support/control.js';
import { createTestDatabase, startPostgres, type TestDatabase } from '../../support/postgres.js';
import { quietLogger } from '../../support/quiet-logger.js';

describe('notifications of the control connection', () => {
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

  it('reach every replica in the order of their sending, the sender too', async () => {
    const heard: string[][] = [[], []];
    await Promise.all(
      [one, two].map((control, replica) => control.listen('revoked', (id) => heard[replica]?.push(id))),
    );
    for (const id of ['a', 'b', 'c']) await one.notify('revoked', id);
    await eventually(async () => expect(heard[1]).toHaveLength(3));

    expect(heard).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
  });

  it('reach every handler of a channel until it unsubscribes, even when another one throws', async () => {
    const heard: string[] = [];
    await one.listen('revoked', () => {
      throw new Error('a faulty handler');
    });
    const unsubscribe = await one.listen('revoked', (id) => heard.push(`first ${id}`));
    await one.listen('revoked', (id) => heard.push(`second ${id}`));
    await two.notify('revoked', 'a');
    await eventually(async () => expect(heard).toHaveLength(2));
    unsubscribe();
    await two.notify('revoked', 'b');
    await eventually(async () => expect(heard).toHaveLength(3));

    expect(heard).toEqual(['first a', 'second a', 'second b']);
  });

  it('are heard again after the connection was lost, before it is called healthy', async () => {
    const events: string[] = [];
    await eventually(async () => expect(one.healthy).toBe(true));
    await one.listen('revoked', (id) => events.push(id));
    one.onRestored(() => events.push(`restored, healthy ${one.healthy}`));
    await terminateControl(database);
    await eventually(async () => expect(events).toHaveLength(1));
    await eventually(async () => two.notify('revoked', 'a'));
    await eventually(async () => expect(events).toHaveLength(2));

    expect(events).toEqual(['restored, healthy false', 'a']);
    expect(one.healthy).toBe(true);
  });

  it('are known not to come within a second when the server’s process behind them freezes', async () => {
    await one.stop();
    await eventually(async () => expect(two.healthy).toBe(true));
    const lock = await two.acquire('slice:1');
    const [frozen = 0] = await controlPids(database);
    const since = performance.now();
    process.kill(frozen, 'SIGSTOP');
    try {
      await eventually(async () => expect(two.healthy).toBe(false), 3000);
      expect(performance.now() - since).toBeLessThan(1000);

      // Given up after two seconds: what waits is refused, holders are told, and another connection is healthy.
      await expect(two.notify('revoked', 'a')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
      expect(lock.signal.aborted).toBe(true);
      await eventually(async () => expect(two.healthy).toBe(true), 3000);
    } finally {
      process.kill(frozen, 'SIGCONT');
    }
  });

  it('are refused with 503 while the server is down, and come back with it', async () => {
    await using postgres = await startPostgres();
    const control = await controlOf(postgres);
    const heard: string[] = [];
    await control.listen('revoked', (id) => heard.push(id));
    await postgres.shutDown();
    await expect(control.notify('revoked', 'a')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(control.healthy).toBe(false);
    await postgres.restart();
    await eventually(async () => expect(control.healthy).toBe(true), 3000);
    await control.notify('revoked', 'b');
    await eventually(async () => expect(heard).toEqual(['b']));
    await control.stop();
  });

  it('need a server that is there at the start', async () => {
    const { connection } = database;
    const control = new ControlConnection({
      connection: { ...connection, password: 'wrong' },
      logger: quietLogger,
    });

    await expect(control.start()).rejects.toMatchObject({ code: '28P01' });
    await control.stop();
  });
});
