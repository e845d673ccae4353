import { chmod, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Binaries, locateBinaries } from './binaries.js';
import { chooseLauncher } from './choose-launcher.js';
import { openCluster } from './cluster.js';
import type { Launcher } from './launcher.js';
import { keptPort, isFree, pickPort } from './port.js';
import { disarmPidFile, isAlive, type Postmaster, runningPostmaster } from './postmaster.js';
import { ProgramFailed } from './run-program.js';
import { ServerLog } from './server-log.js';
import { hbaConf, postgresqlConf, type ServerSettings } from './server-settings.js';

const START_ATTEMPTS = 20;
const ATTEMPT_PAUSE_MS = 250;
/** For a server that recovers after a crash, or writes its last checkpoint. */
const SETTLE_TIMEOUT_MS = 60_000;
const FAST_STOP_SECONDS = 20;

export interface ServerProcessOptions {
  dataDir: string;
  superuser: string;
  listenAddresses: readonly string[];
  overrides: Readonly<Record<string, string>>;
  launcher?: Launcher;
}

/** The PostgreSQL server as a process: found, started and stopped, never spoken to. */
export class ServerProcess {
  private constructor(
    private readonly options: ServerProcessOptions,
    private readonly launcher: Launcher,
    private readonly binaries: Binaries,
    /** The data directory as PostgreSQL names it. */
    readonly cluster: string,
    readonly password: string,
    readonly log: ServerLog,
  ) {}

  /** Makes ready what a start needs: binaries, and the data directory, made the first time. */
  static async prepare(options: ServerProcessOptions): Promise<ServerProcess> {
    await mkdir(options.dataDir, { recursive: true, mode: 0o711 });
    // To be passed through by the server's user; what is secret in it is closed by itself.
    await chmod(options.dataDir, 0o711);
    const dataDir = await realpath(options.dataDir);
    const launcher = options.launcher ?? (await chooseLauncher());
    const binaries = await launcher.reachable(await locateBinaries());
    const { path, password } = await openCluster(dataDir, binaries, launcher);
    const log = new ServerLog(join(dirname(path), 'postgres.log'));
    return new ServerProcess({ ...options, dataDir }, launcher, binaries, path, password, log);
  }

  /** The server that runs on the data directory, once it takes connections; null when there is none. */
  async find(): Promise<Postmaster | null> {
    const deadline = performance.now() + SETTLE_TIMEOUT_MS;
    for (;;) {
      const found = await runningPostmaster(this.cluster);
      if (found === null || found.status === 'ready') return found;
      if (performance.now() > deadline)
        throw new Error(`PostgreSQL is still ${found.status}.\n${await this.log.tail()}`);
      await delay(20);
    }
  }

  /** Tells whether a running server was started with the settings that a start would give it now. */
  async isCurrent({ port }: Postmaster): Promise<boolean> {
    for (const [name, text] of this.configuration(port)) {
      if ((await readFile(join(this.cluster, name), 'utf8')) !== text) return false;
    }
    return true;
  }

  /**
   * Starts the server. It is tried again while the processes of a killed one still end, or a second gateway starts at
   * the same moment; in that case the other's server is given.
   * @param port the port it must have; without one, the kept port, or another where that is taken
   */
  async start(port?: number): Promise<Postmaster> {
    await this.log.prepare(this.launcher);
    await this.log.rotate();
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.tryStart(port ?? (await this.choosePort()));
      } catch (error) {
        const other = await this.find();
        if (other !== null) return other;
        if (attempt === START_ATTEMPTS || !(error instanceof ProgramFailed)) {
          throw new Error(`PostgreSQL did not start.\n${await this.log.tail()}`, { cause: error });
        }
        await delay(ATTEMPT_PAUSE_MS);
      }
    }
  }

  /** Stops the server: sessions are ended at once, and what they had committed is kept. */
  async stop(): Promise<void> {
    const running = await runningPostmaster(this.cluster);
    if (running === null) return;
    try {
      await this.control('stop', '-w', '-m', 'fast', '-t', String(FAST_STOP_SECONDS));
    } catch (error) {
      if (!(await isAlive(running.pid))) return;
      // The next start recovers from the write-ahead log.
      if (error instanceof ProgramFailed) await this.control('stop', '-w', '-m', 'immediate');
      else throw error;
    }
  }

  private async tryStart(port: number): Promise<Postmaster> {
    await disarmPidFile(this.cluster);
    for (const [name, text] of this.configuration(port)) await this.write(name, text);
    await this.control('start', '-w', '-t', String(SETTLE_TIMEOUT_MS / 1000), '-l', this.log.file);
    const started = await this.find();
    if (started === null)
      throw new Error(`PostgreSQL ended right after its start.\n${await this.log.tail()}`);
    return started;
  }

  private async choosePort(): Promise<number> {
    const file = join(this.options.dataDir, 'port');
    const kept = await keptPort(file);
    return kept !== null && (await isFree(kept)) ? kept : pickPort(file);
  }

  private configuration(port: number): [name: string, text: string][] {
    const { listenAddresses, overrides, superuser } = this.options;
    const settings: ServerSettings = { port, listenAddresses, overrides, version: this.binaries.version };
    return [
      ['postgresql.conf', postgresqlConf(settings)],
      ['pg_hba.conf', hbaConf(superuser, settings)],
    ];
  }

  private async write(name: string, text: string): Promise<void> {
    const file = join(this.cluster, name);
    await writeFile(file, text, { mode: 0o600 });
    await this.launcher.handOver(file);
  }

  private async control(command: 'start' | 'stop', ...args: string[]): Promise<void> {
    await this.launcher.run(join(this.binaries.root, 'bin', 'pg_ctl'), [
      command,
      '-D',
      this.cluster,
      ...args,
    ]);
  }
}
