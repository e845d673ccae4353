import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.js';
import type { GatewaySetting } from './gateway-child.js';
import { Gateway, type GatewayOptions, testEnvironment } from './gateway.js';
import { createTestDatabase, type TestDatabase, withClient } from './postgres.js';
import { type HostWorld, lookAtSlices, processesBelow, processSlices } from './slice-world.js';
import { TINY_SLICES } from './tiny-slices.js';

/** A database and a data directory, on which gateways come and go. */
export class Installation implements GatewaySetting, AsyncDisposable {
  private constructor(
    readonly database: TestDatabase,
    readonly dataDir: string,
    readonly env: NodeJS.ProcessEnv,
  ) {}

  /** Nothing runs yet. Slices will be processes of the tiny app, unless the environment says something else. */
  static async create(env: NodeJS.ProcessEnv = {}): Promise<Installation> {
    const database = await createTestDatabase();
    const dataDir = await mkdtemp(join(tmpdir(), 'sluice-installation-'));
    const whole = { ...testEnvironment(dataDir, database.url), ...TINY_SLICES, ...env };
    return new Installation(database, dataDir, whole);
  }

  /** A gateway on it, in this process. */
  open({ env, override }: Pick<GatewayOptions, 'env' | 'override'> = {}): Promise<Gateway> {
    return Gateway.start({
      database: this.database,
      dataDir: this.dataDir,
      env: { ...this.env, ...env },
      ...(override === undefined ? {} : { override }),
    });
  }

  /** What there is of its slices; of processes, unless told how else to find them. */
  async look(find = (): Promise<HostWorld> => processSlices(this.dataDir)) {
    return lookAtSlices(this.database, await find());
  }

  /** The ids of the live slices, once each of them is as desired and none is on its way anywhere. */
  async settled(): Promise<number[]> {
    return eventually(async () => {
      const slices = await this.query<{ id: number; settled: boolean }>(
        `SELECT id, observed_generation = generation
                AND status = CASE desired_state WHEN 'running' THEN 'active' ELSE desired_state END AS settled
           FROM slice WHERE destroyed_at IS NULL ORDER BY id`,
      );
      if (!slices.every(({ settled }) => settled)) throw new Error(JSON.stringify(slices));
      return slices.map(({ id }) => id);
    }, 20_000);
  }

  /** Asks its database. */
  query<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return withClient(this.database.connection, async (client) => {
      const { rows } = await client.query<Row>(sql, values);
      return rows;
    });
  }

  /** Ends what is left of its slices and removes it all; the gateways are gone by then. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pid } of await processesBelow(this.dataDir)) process.kill(pid, 'SIGKILL');
    await rm(this.dataDir, { recursive: true, force: true });
    const { databases, roles } = await this.look();
    for (const id of databases) await this.query(`DROP DATABASE slice_${id} WITH (FORCE)`);
    for (const id of roles) await this.query(`DROP ROLE slice_${id}`);
    await this.database.drop();
  }
}
