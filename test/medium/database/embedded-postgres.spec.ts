import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmod, mkdtemp, readFile, readdir, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { EmbeddedPostgres, isDatabaseUnavailable } from '#database';
import { isAlive } from '../../../libs/database/src/embedded/postmaster.js';
import { NobodyLauncher } from '../../../libs/database/src/embedded/nobody-launcher.js';
import { eventually } from '../../support/eventually.js';
import { closeServer, occupyPort } from '../../support/free-port.js';
import { withClient } from '../../support/postgres.js';
import { quietLogger } from '../../support/quiet-logger.js';
import { LEFTOVER_PREFIX, UNSAFE_BUT_FAST } from '../../support/shared-server.js';

const itAsRoot = process.getuid?.() === 0 ? it : it.skip;

describe('the embedded PostgreSQL', () => {
  let dataDir: string;
  let server: EmbeddedPostgres | undefined;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), `${LEFTOVER_PREFIX}${process.pid}-`));
  });
  afterEach(async () => {
    await server?.stop();
    server = undefined;
    await rm(dataDir, { recursive: true, force: true });
  });

  async function start(settings: Record<string, string> = UNSAFE_BUT_FAST): Promise<EmbeddedPostgres> {
    server = await EmbeddedPostgres.start({ dataDir, logger: quietLogger, settings });
    return server;
  }

  async function query(text: string, from = server): Promise<unknown> {
    if (from === undefined) throw new Error('no server');
    return withClient(from.connection, async (client) => {
      const { rows } = await client.query<Record<string, unknown>>(text);
      return Object.values(rows[0] ?? {})[0];
    });
  }

  it('is a UTF-8 server with checksums, passwords and no socket file', async () => {
    const { connection } = await start();

    expect(await query('SHOW server_encoding')).toBe('UTF8');
    expect(await query('SHOW data_checksums')).toBe('on');
    expect(await query('SHOW password_encryption')).toBe('scram-sha-256');
    expect(await query('SHOW unix_socket_directories')).toBe('');
    expect(await query('SHOW listen_addresses')).toBe('127.0.0.1');
    await expect(withClient({ ...connection, password: 'wrong' }, async () => 'in')).rejects.toMatchObject({
      code: '28P01',
    });
    expect((await stat(join(dataDir, 'password'))).mode & 0o077).toBe(0);
  });

  it('keeps its data, port and password from one start to the next', async () => {
    const first = await start();
    await query('CREATE TABLE kept AS SELECT 42 AS answer');
    const before = first.connection;
    await first.stop();
    const second = await start();

    expect(second.adopted).toBe(false);
    expect(second.connection).toEqual(before);
    expect(await query('SELECT answer FROM kept')).toBe(42);
  });

  it('leaves no process and no pid file when it is stopped, even with sessions open', async () => {
    const { connection, pid } = await start();
    const ended = withClient(connection, (client) => client.query('SELECT pg_sleep(60)')).catch(
      (error: unknown) => error,
    );
    await eventually(async () =>
      expect(await query("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep(60)'")).not.toBe(
        '0',
      ),
    );
    await server?.stop();

    expect(await isAlive(pid)).toBe(false);
    expect(await readdir(join(dataDir, 'data'))).not.toContain('postmaster.pid');
    expect(isDatabaseUnavailable(await ended)).toBe(true);
  });

  it('takes another port when a stranger has taken its own', async () => {
    const { port } = (await start()).connection;
    await server?.stop();
    const stranger = await occupyPort(port);
    await start();

    expect(server?.connection.port).not.toBe(port);
    expect(await query('SELECT 1')).toBe(1);
    await closeServer(stranger);
  });

  it('comes back on the same port by itself when it is killed', async () => {
    const { connection, pid } = await start({ synchronous_commit: 'on' });
    await query('CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(pid, 'SIGKILL');
    await eventually(async () => expect(server?.pid).not.toBe(pid), 5000);

    expect(server?.connection).toEqual(connection);
    expect(await query('SELECT answer FROM kept')).toBe(42);
  });

  it('starts after it was killed while no gateway was there', async () => {
    const first = await start({ synchronous_commit: 'on' });
    await query('CREATE TABLE kept AS SELECT 42 AS answer');
    await first.detach();
    process.kill(first.pid, 'SIGKILL');
    await start({ synchronous_commit: 'on' });

    expect(await query('SELECT answer FROM kept')).toBe(42);
  });

  it('is started anew when it runs with settings of another version', async () => {
    const first = await start();
    await first.detach();
    const second = await start({ ...UNSAFE_BUT_FAST, work_mem: '5MB' });

    expect(second.adopted).toBe(false);
    expect(second.pid).not.toBe(first.pid);
    expect(await query('SHOW work_mem')).toBe('5MB');
  });

  it('listens for containers without letting them in as the gateway', async () => {
    server = await EmbeddedPostgres.start({
      dataDir,
      logger: quietLogger,
      settings: UNSAFE_BUT_FAST,
      listenAddresses: ['127.0.0.2'],
    });
    const rules = await readFile(join(dataDir, 'data', 'pg_hba.conf'), 'utf8');
    await query("CREATE ROLE slice LOGIN PASSWORD 'secret'");
    const elsewhere = { ...server.connection, host: '127.0.0.2' };

    expect(rules).not.toMatch(/trust|md5|password/);
    await expect(
      withClient({ ...elsewhere, user: 'slice', password: 'secret' }, async () => 'in'),
    ).resolves.toBe('in');
    await expect(
      withClient({ ...elsewhere, user: 'slice', password: 'wrong' }, async () => 'in'),
    ).rejects.toMatchObject({ code: '28P01' });
  });

  it('keeps connections for the gateway when slices have used up all others', async () => {
    await start({
      ...UNSAFE_BUT_FAST,
      max_connections: '10',
      reserved_connections: '4',
      superuser_reserved_connections: '3',
    });
    await query("CREATE ROLE slice LOGIN PASSWORD 'secret'");
    const slice = { ...server?.connection, user: 'slice', password: 'secret' };
    const clients = Array.from({ length: 10 }, () => new Client(slice));
    try {
      const outcomes = await Promise.allSettled(clients.map((each) => each.connect()));

      expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(3);
      expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: { code: '53300' },
      });
      await expect(query('SELECT 1')).resolves.toBe(1);
    } finally {
      await Promise.all(clients.map((each) => each.end()));
    }
  });

  itAsRoot('runs as nobody where user namespaces are denied, below a closed folder too', async () => {
    const base = await mkdtemp(join(tmpdir(), `${LEFTOVER_PREFIX}${process.pid}-`));
    await chmod(base, 0o755);
    const closed = join(dataDir, 'postgres'); // mkdtemp closes its folders to others
    try {
      const launcher = await NobodyLauncher.create(base);
      server = await EmbeddedPostgres.start({ dataDir: closed, logger: quietLogger, launcher });
      await query('CREATE TABLE kept AS SELECT 42 AS answer');
      await server.stop();
      expect((await stat(await realpath(join(closed, 'data')))).uid).not.toBe(0);

      // Where namespaces are allowed again, the data are found by the link.
      server = await EmbeddedPostgres.start({ dataDir: closed, logger: quietLogger });
      expect(await query('SELECT answer FROM kept')).toBe(42);
    } finally {
      await server?.stop();
      await rm(base, { recursive: true });
    }
  });
});
