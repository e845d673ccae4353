import { SchedulerRegistry } from '@nestjs/schedule';
import { DataSource } from 'typeorm';
import { Clock } from '#common';
import { SliceRuntime } from '#orchestrator';
import { BackendProber } from '#proxy';
import { MonitorLoop } from '../../libs/monitor/src/watch/monitor-loop.js';
import { MonitorOptions } from '../../libs/monitor/src/watch/monitor-options.js';
import { MonitorPass } from '../../libs/monitor/src/watch/monitor-pass.js';
import { ReconcileLoop } from '../../libs/orchestrator/src/reconcile/reconcile-loop.js';
import { eventually } from './eventually.js';
import { Gateway } from './gateway.js';
import type { TestDatabase } from './postgres.js';
import { type Mood, SliceApps } from './slice-apps.js';
import { TestClock } from './test-clock.js';

export const MINUTE_MS = 60_000;

export interface MonitorWorldOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly configFile?: string;
  readonly options?: Partial<MonitorOptions>;
  /** Its passes are made by its loop, as the leader that it becomes; still no schedule runs. */
  readonly byLoop?: boolean;
  /** Of another one, to be its replica. */
  readonly replicaOf?: MonitorWorld;
  /** Of a replica: whether its data directory is another one than that gateway's. */
  readonly elsewhere?: boolean;
}

/** What a runtime tells the monitor: every slice runs, and has used a second of CPU time more than at the look before. */
class StubRuntime {
  readonly kind = 'process';
  /** Null: the engine does not answer. */
  states: Map<number, 'running' | 'exited'> | null = new Map();
  private readonly seconds = new Map<number, number>();

  check = (): Promise<void> => Promise.resolve();
  reach = (): Promise<void> => Promise.resolve();
  shutdown = (): Promise<void> => Promise.resolve();
  usage = (id: number) => {
    const cpuSeconds = (this.seconds.get(id) ?? 0) + 1;
    this.seconds.set(id, cpuSeconds);
    return Promise.resolve({ memoryBytes: 50e6, cpuSeconds });
  };
  list = () =>
    this.states === null
      ? Promise.reject(new Error('the engine is down'))
      : Promise.resolve([...this.states].map(([sliceId, state]) => ({ sliceId, state, generation: 1 })));
}

/**
 * A gateway whose monitor looks at slices that a test plays: their apps, their runtime and their reconciler. Its clock
 * stands still, and no schedule runs: a test makes each pass itself.
 */
export class MonitorWorld implements AsyncDisposable {
  /** How many times each slice was restarted. */
  readonly restarts = new Map<number, number>();
  private made = 0;

  private constructor(
    readonly gateway: Gateway,
    readonly clock: TestClock,
    readonly apps: SliceApps,
    readonly runtime: StubRuntime,
    private readonly ownsApps: boolean,
    private readonly byLoop: boolean,
  ) {}

  static async start(options: MonitorWorldOptions = {}): Promise<MonitorWorld> {
    const { replicaOf } = options;
    const clock = replicaOf?.clock ?? new TestClock();
    const runtime = replicaOf?.runtime ?? new StubRuntime();
    const gateway = await Gateway.start({
      ...(replicaOf === undefined ? {} : { database: replicaOf.gateway.database }),
      ...(replicaOf === undefined || options.elsewhere === true
        ? {}
        : { dataDir: replicaOf.gateway.dataDir }),
      ...(options.configFile === undefined ? {} : { configFile: options.configFile }),
      env: { SLICE_AUTO_PROVISION: 'false', MONITOR_INTERVAL_SECONDS: '60', ...options.env },
      override: (builder) => {
        builder
          .overrideProvider(ReconcileLoop)
          .useValue({})
          .overrideProvider(Clock)
          .useValue(clock)
          .overrideProvider(SliceRuntime)
          .useValue(runtime)
          .overrideProvider(MonitorOptions)
          .useValue(new MonitorOptions({ jitterMs: 0, ...options.options }));
        return options.byLoop === true ? builder : builder.overrideProvider(MonitorLoop).useValue({});
      },
    });
    const apps = replicaOf?.apps ?? (await SliceApps.start());
    const world = new MonitorWorld(
      gateway,
      clock,
      apps,
      runtime,
      replicaOf === undefined,
      options.byLoop === true,
    );
    if (world.byLoop) await world.awaitFirstPass();
    return world;
  }

  get database(): TestDatabase {
    return this.gateway.database;
  }

  /** A slice that is meant to run, and does. */
  async addSlice(mood: Mood = 'well', name = `slice ${this.made + 1}`): Promise<number> {
    this.made += 1;
    const [{ id }] = await this.query<{ id: number }>(
      `INSERT INTO slice (name, runtime, memory_bytes, cpus, spec_hash, status, observed_generation, host, port, last_healthy_at)
       VALUES ($1, 'process', 1, 1, '', 'active', 1, $2, $3, now()) RETURNING id`,
      [name, this.apps.hostOf(this.made), this.apps.port],
    );
    this.numbers.set(id, this.made);
    this.runtime.states?.set(id, 'running');
    this.setMood(id, mood);
    return id;
  }

  setMood(id: number, mood: Mood): void {
    this.apps.moods.set(this.numbers.get(id) ?? 0, mood);
  }

  /** One pass, as the leader makes it; then what a reconciler would do about what it desires. */
  async pass(signal: AbortSignal = new AbortController().signal): Promise<void> {
    if (this.byLoop) await this.tick();
    else await this.gateway.get(MonitorPass).run(signal, this.gateway.get(BackendProber).probeAll());
    await this.reconcile();
  }

  /** What the schedule would call. */
  tick(): Promise<void> {
    return this.gateway.get(MonitorLoop).tick();
  }

  /** A pass each minute. */
  async passes(count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      this.clock.advance(MINUTE_MS);
      await this.pass();
    }
  }

  async status(id: number): Promise<string | undefined> {
    const [slice] = await this.query<{ status: string }>('SELECT status FROM slice WHERE id = $1', [id]);
    return slice?.status;
  }

  query<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[] & [Row]> {
    return this.gateway.get(DataSource).query(sql, values);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]();
    if (this.ownsApps) await this.apps[Symbol.asyncDispose]();
  }

  private readonly numbers = new Map<number, number>();

  /** The leader makes one at once. */
  private async awaitFirstPass(): Promise<void> {
    this.gateway.get(SchedulerRegistry).deleteInterval('monitor');
    await eventually(async () => {
      const [state] = await this.query<{ at: Date | null }>('SELECT last_pass_at AS at FROM monitor_state');
      if (state.at === null) throw new Error('no pass yet');
    });
    await this.tick();
  }

  private async reconcile(): Promise<void> {
    const [rows] = await this.gateway.get(DataSource).query<[Array<{ id: number }>, number]>(
      `UPDATE slice SET observed_generation = generation, last_error = NULL, last_error_code = NULL,
              status = CASE desired_state WHEN 'running' THEN 'active' ELSE desired_state END
        WHERE observed_generation < generation RETURNING id`,
    );
    for (const { id } of rows) this.restarts.set(id, (this.restarts.get(id) ?? 0) + 1);
  }
}
