import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirInUse, EmbeddedPostgres } from '#database';
import { isAlive } from '../../../libs/database/src/embedded/postmaster.js';
import { eventually } from '../../support/eventually.js';
import { serverOf, signalGroup, spawnOwner } from '../../support/owner-process.js';
import { withClient } from '../../support/postgres.js';
import { quietLogger } from '../../support/quiet-logger.js';
import { LEFTOVER_PREFIX } from '../../support/shared-server.js';

describe('the embedded PostgreSQL, after its gateway ended in bad order', () => {
  let dataDir: string;
  let owner: ChildProcess | undefined;
  let server: EmbeddedPostgres | undefined;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), `${LEFTOVER_PREFIX}${process.pid}-`));
  });
  afterEach(async () => {
    if (owner?.exitCode === null && owner.signalCode === null) await signalGroup(owner, 'SIGKILL');
    await server?.stop();
    owner = server = undefined;
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10 });
  });

  async function start(): Promise<EmbeddedPostgres> {
    server = await EmbeddedPostgres.start({ dataDir, logger: quietLogger });
    return server;
  }

  async function works(): Promise<boolean> {
    if (server === undefined) return false;
    return withClient(server.connection, async (client) => (await client.query('SELECT 1')).rowCount === 1);
  }

  it('is adopted when a kill -9 ended the gateway', async () => {
    owner = spawnOwner(dataDir);
    const pid = await serverOf(owner);
    await signalGroup(owner, 'SIGKILL');
    await start();

    expect(server).toMatchObject({ adopted: true, pid });
    expect(await works()).toBe(true);
  });

  it('is not reached by a Ctrl-C at the gateway’s terminal', async () => {
    owner = spawnOwner(dataDir);
    const pid = await serverOf(owner);
    await signalGroup(owner, 'SIGINT');

    expect(await isAlive(pid)).toBe(true);
    await start();
  });

  it('ends with the gateway when that ends in good order', async () => {
    owner = spawnOwner(dataDir);
    const pid = await serverOf(owner);
    await signalGroup(owner, 'SIGTERM');

    expect(await isAlive(pid)).toBe(false);
  });

  it('is refused to a second gateway, which is told how to share a database', async () => {
    owner = spawnOwner(dataDir);
    const pid = await serverOf(owner);

    await expect(start()).rejects.toThrow(DataDirInUse);
    await expect(start()).rejects.toThrow(/DATABASE_URL/);
    expect(await isAlive(pid)).toBe(true);
    await signalGroup(owner, 'SIGTERM');
  });

  it('is made anew when the gateway was killed while it was being made', async () => {
    owner = spawnOwner(dataDir);
    await eventually(async () => expect((await readdir(dataDir)).join()).toContain('data.new-'));
    await signalGroup(owner, 'SIGKILL');
    expect(await readdir(dataDir)).not.toContain('data');
    await start();

    expect(await works()).toBe(true);
    expect((await readdir(dataDir)).filter((name) => name.startsWith('data'))).toEqual(['data']);
  });

  it('refuses a damaged data directory, and touches nothing in it', async () => {
    await start().then((first) => first.stop());
    await rm(join(dataDir, 'data', 'global'), { recursive: true });
    const before = await readdir(join(dataDir, 'data'));

    await expect(start()).rejects.toThrow(/no complete PostgreSQL data directory/);
    expect(await readdir(join(dataDir, 'data'))).toEqual(before);
  });

  it.each([
    ['a process that is gone', 'true'],
    ['a process that lives, and is no PostgreSQL', 'exec sleep 60'],
  ])('starts past a pid file that names %s', async (_title, script) => {
    const pidFile = join(dataDir, 'data', 'postmaster.pid');
    const stranger = spawn('sh', ['-c', script]);
    if (script === 'true') await once(stranger, 'exit');
    const first = await start();
    const [, ...rest] = (await readFile(pidFile, 'utf8')).split('\n');
    await first.stop();
    await writeFile(pidFile, [stranger.pid, ...rest].join('\n'));
    await start();

    expect(server?.adopted).toBe(false);
    expect(await works()).toBe(true);
    stranger.kill();
  });

  it('starts past an empty pid file', async () => {
    await start().then((first) => first.stop());
    await writeFile(join(dataDir, 'data', 'postmaster.pid'), '');
    await start();

    expect(await works()).toBe(true);
  });

  it('is shared by two gateways that start it at the same moment, and neither breaks it', async () => {
    await start().then((first) => first.stop());
    const [one, two] = await Promise.all([start(), start()]);

    expect(one.pid).toBe(two.pid);
    expect(await works()).toBe(true);
    await one.stop();
    await two.stop();
  });
});
