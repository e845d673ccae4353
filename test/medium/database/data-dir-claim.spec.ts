import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ControlConnection, DataDirClaim, DataDirInUse } from '#database';
import { lockKey } from '../../../libs/database/src/control/lock-key.js';
import { controlPids, terminateControl } from '../../support/control.js';
import { eventually } from '../../support/eventually.js';
import { createTestDatabase, type TestDatabase, withClient } from '../../support/postgres.js';
import { quietLogger } from '../../support/quiet-logger.js';

describe('the claim of a data directory', () => {
  let database: TestDatabase;
  let told: DataDirInUse[];
  let first: ControlConnection;
  let second: ControlConnection;

  beforeEach(async () => {
    database = await createTestDatabase();
    told = [];
    [first, second] = [claimant(), claimant()];
  });
  afterEach(async () => {
    await Promise.all([first.stop(), second.stop()]);
    await database.drop();
  });

  function claimant(): ControlConnection {
    const claim = new DataDirClaim((error) => told.push(error));
    return new ControlConnection({ connection: database.connection, logger: quietLogger, claim });
  }

  it('is one gateway’s alone, until that stops', async () => {
    await first.start();

    await expect(second.start()).rejects.toThrow(DataDirInUse);
    await first.stop();
    await expect(second.start()).resolves.toBeUndefined();
  });

  it('is taken again with the next connection', async () => {
    await first.start();
    await eventually(async () => expect(first.healthy).toBe(true));
    const [lost] = await controlPids(database);
    await terminateControl(database);
    await eventually(async () => expect(await controlPids(database)).not.toContain(lost));
    await eventually(async () => expect(first.healthy).toBe(true));

    await expect(second.start()).rejects.toThrow(DataDirInUse);
    expect(told).toEqual([]);
  });

  it('is kept while the server’s process behind the connection before freezes: that one still has it', async () => {
    await first.start();
    await eventually(async () => expect(first.healthy).toBe(true));
    const [frozen = 0] = await controlPids(database);
    process.kill(frozen, 'SIGSTOP');
    try {
      await eventually(async () => expect((await controlPids(database)).length).toBe(2), 5000);
      await expect(second.start()).rejects.toThrow(DataDirInUse);
      expect(told).toEqual([]);
    } finally {
      process.kill(frozen, 'SIGCONT');
    }
    await eventually(async () => expect(first.healthy).toBe(true), 3000);
  });

  it('is given up, and that is told, when another gateway took it meanwhile', async () => {
    await first.start();
    await withClient(database.connection, async (thief) => {
      const stolen = thief.query('SELECT pg_advisory_lock($1)', [lockKey('data-dir')]);
      // In the line for the lock, the thief has it at the moment at which the first one loses it.
      await withClient(database.connection, (client) =>
        eventually(async () =>
          expect((await client.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount).toBe(1),
        ),
      );
      await terminateControl(database);
      await stolen;
      await eventually(async () => expect(told).toEqual([expect.any(DataDirInUse)]), 5000);
      expect(first.healthy).toBe(false);
    });
  });
});
