import type { LoggerService } from '@nestjs/common';
import type { Connection } from '../data-source-options.js';
import { SUPERUSER } from './cluster.js';
import type { Launcher } from './launcher.js';
import { isAlive, type Postmaster } from './postmaster.js';
import { ensureDatabase, requireUnclaimed } from './server-check.js';
import { ServerProcess } from './server-process.js';
import { Watchdog } from './watchdog.js';

export interface EmbeddedPostgresOptions {
  /** The folder of everything the server needs; made when it is missing. */
  dataDir: string;
  logger: LoggerService;
  /** Listened on beside 127.0.0.1, such as the Docker bridge's: one that this machine has not is passed over. */
  listenAddresses?: readonly string[];
  /** PostgreSQL settings over Sluice's own. */
  settings?: Readonly<Record<string, string>>;
  /** How the programs are run; by default what suits the user the gateway runs as. */
  launcher?: Launcher;
}

/**
 * A real PostgreSQL server in a folder, for a gateway that was given no database. It has a session of its own, so a
 * Ctrl-C ends the gateway and not, in the middle of its drain, its database; after a kill -9 of the gateway it runs
 * on, and the next gateway adopts it. If it dies, it is brought back.
 */
export class EmbeddedPostgres {
  /** Whether it already ran. */
  readonly adopted: boolean;
  private readonly watchdog: Watchdog;
  private stopped: Promise<void> | undefined;

  private constructor(
    private readonly server: ServerProcess,
    private postmaster: Postmaster,
    private readonly logger: LoggerService,
    how: { adopted: boolean },
  ) {
    this.adopted = how.adopted;
    this.watchdog = new Watchdog({ alive: () => this.alive(), revive: () => this.revive() }, logger);
  }

  /**
   * Adopts the server that runs in the folder, or starts it, or makes it first.
   * @throws DataDirInUse when another gateway uses it
   * @throws Error when it can't be started; the message ends with the last lines of its log
   */
  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const { logger, settings: overrides = {}, listenAddresses = [] } = options;
    const server = await ServerProcess.prepare({
      ...options,
      superuser: SUPERUSER,
      listenAddresses,
      overrides,
    });
    const running = await server.find();
    const adopted = running !== null && (await adopt(server, running, logger));
    const postmaster = adopted ? running : await server.start();
    if (!adopted) await prepareFresh(server, postmaster);
    logger.log(
      `PostgreSQL ${adopted ? 'adopted' : 'started'}: port ${postmaster.port}, log ${server.log.file}`,
    );
    return new EmbeddedPostgres(server, postmaster, logger, { adopted });
  }

  /** How to reach the server that another process runs in the folder; null when there is none. */
  static async connectionOfRunning(dataDir: string): Promise<Connection | null> {
    const options = { dataDir, superuser: SUPERUSER, listenAddresses: [], overrides: {} };
    const server = await ServerProcess.prepare(options);
    const running = await server.find();
    return running && connectionTo(server, running.port);
  }

  /** How to reach it, as its superuser; the same as long as this object lives. */
  get connection(): Connection {
    return connectionTo(this.server, this.postmaster.port);
  }

  /** The process of the server. */
  get pid(): number {
    return this.postmaster.pid;
  }

  /** Ends the watch and leaves the server running: for a gateway that finds it is not its own. */
  async detach(): Promise<void> {
    await this.watchdog.stop();
  }

  /** Ends sessions and server. Resolves when nothing of it runs any more. */
  stop(): Promise<void> {
    this.stopped ??= this.detach().then(() => this.server.stop());
    return this.stopped;
  }

  private async alive(): Promise<boolean> {
    if (!(await isAlive(this.postmaster.pid))) return false;
    await this.server.log.rotate();
    return true;
  }

  private async revive(): Promise<void> {
    this.logger.error(`PostgreSQL (pid ${this.postmaster.pid}) has died; starting it again`);
    this.postmaster = await this.server.start(this.postmaster.port);
    this.logger.log(`PostgreSQL started again: port ${this.postmaster.port}`);
  }
}

/** Gives false when the server found had to be stopped, because it runs with settings of another time. */
async function adopt(server: ServerProcess, running: Postmaster, logger: LoggerService): Promise<boolean> {
  const connection = connectionTo(server, running.port);
  await ensureDatabase(connection, server.cluster);
  await requireUnclaimed(connection);
  if (await server.isCurrent(running)) return true;
  logger.log('PostgreSQL runs with older settings; it is started anew');
  await server.stop();
  return false;
}

/** Makes the database of a server just started; one that does not let us do it is not left behind. */
async function prepareFresh(server: ServerProcess, { port }: Postmaster): Promise<void> {
  try {
    await ensureDatabase(connectionTo(server, port), server.cluster);
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function connectionTo(server: ServerProcess, port: number): Connection {
  return {
    host: '127.0.0.1',
    port,
    user: SUPERUSER,
    password: server.password,
    database: SUPERUSER,
    ssl: false,
  };
}
