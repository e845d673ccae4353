import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../../../test/support/eventually.js';
import { locateBinaries } from './binaries.js';
import { DirectLauncher } from './direct-launcher.js';
import { keptPort, pickPort } from './port.js';
import { disarmPidFile, isAlive, runningPostmaster } from './postmaster.js';
import { ProgramFailed, runProgram } from './run-program.js';
import { ServerLog } from './server-log.js';
import { hbaConf, postgresqlConf } from './server-settings.js';

const itOnLinux = process.platform === 'linux' ? it : it.skip;

describe('the parts of the embedded PostgreSQL', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('say what to do on a platform without binaries', async () => {
    await expect(locateBinaries('sunos', 's390x')).rejects.toThrow(/sunos-s390x.*DATABASE_URL/);
  });

  it('quote what they write to postgresql.conf', () => {
    const text = postgresqlConf({
      port: 1,
      listenAddresses: [],
      version: '18',
      overrides: { search_path: "it's" },
    });

    expect(text).toContain("search_path = 'it''s'");
  });

  it('let nobody in from elsewhere unless containers are to come', () => {
    expect(hbaConf('sluice', { listenAddresses: [] })).not.toContain('samenet');
    expect(hbaConf('sluice', { listenAddresses: ['172.17.0.1'] })).toMatch(
      /sluice all reject\nhost all all samenet/,
    );
  });

  it('keep the port they picked, and no nonsense', async () => {
    const file = join(folder, 'port');

    expect(await keptPort(file)).toBeNull();
    const port = await pickPort(file);
    expect(await keptPort(file)).toBe(port);
    await writeFile(file, '99999999');
    expect(await keptPort(file)).toBeNull();
  });

  it('keep the rest of a pid file that names a stranger, where PostgreSQL finds its shared memory', async () => {
    const file = join(folder, 'postmaster.pid');
    await writeFile(file, `${process.pid}\n/data\n1\n5432\n\n127.0.0.1\n  1 2\nready\n`);
    expect(await runningPostmaster(folder)).toBeNull();
    await disarmPidFile(folder);
    const [pid, ...rest] = (await readFile(file, 'utf8')).split('\n');

    expect(await isAlive(Number(pid))).toBe(false);
    expect(rest.join('\n')).toBe('/data\n1\n5432\n\n127.0.0.1\n  1 2\nready\n');
  });

  it('take a process that has ended for dead', async () => {
    const child = spawn('sleep', ['60']);
    expect(await isAlive(child.pid ?? 0)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');

    expect(await isAlive(child.pid ?? 0)).toBe(false);
  });

  itOnLinux('take one for dead that nobody reaps, as in a container whose pid 1 does not', async () => {
    // The shell becomes a `sleep`, which knows nothing of the child it inherits.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line]: unknown[] = await once(parent.stdout, 'data');
    const zombie = Number(String(line));
    await eventually(async () => expect(await readFile(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n'));
    process.kill(zombie, 'SIGKILL');
    await eventually(async () => expect(await isAlive(zombie)).toBe(false));

    expect(() => process.kill(zombie, 0)).not.toThrow();
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });

  it('keep the log below a limit, and the part before it once', async () => {
    const log = new ServerLog(join(folder, 'postgres.log'));
    await log.prepare(new DirectLauncher());
    await truncate(log.file, 11 * 1024 * 1024);
    await log.rotate();

    expect((await stat(log.file)).size).toBe(0);
    expect((await stat(`${log.file}.1`)).size).toBe(11 * 1024 * 1024);
  });

  it('empty the log also when there is no place for a copy, and never fail over it', async () => {
    const log = new ServerLog(join(folder, 'postgres.log'));
    await expect(log.rotate()).resolves.toBeUndefined();
    await log.prepare(new DirectLauncher());
    await truncate(log.file, 11 * 1024 * 1024);
    await mkdir(`${log.file}.1`);
    await log.rotate();

    expect((await stat(log.file)).size).toBe(0);
  });

  it('give what a program said when it fails', async () => {
    await expect(runProgram('sh', ['-c', 'echo the reason >&2; exit 3'])).rejects.toThrow(ProgramFailed);
    await expect(runProgram('sh', ['-c', 'echo the reason >&2; exit 3'])).rejects.toThrow(
      /status 3.*the reason/,
    );
  });
});
