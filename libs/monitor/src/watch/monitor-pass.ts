import { hostname } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '#common';
import { AppConfig } from '#config';
import { MonitorState } from '#database';
import { SliceDatabaseFigures, SliceRuntime, SliceSupervision, type WatchedSlice } from '#orchestrator';
import { Backends } from '#proxy';
import { DiskSpace } from '../health/disk-space.js';
import { BACKEND_PREFIX, backendConditions } from '../outages/backend-conditions.js';
import type { Condition } from '../outages/condition.js';
import { commonCondition } from '../outages/common-condition.js';
import { Outages } from '../outages/outages.js';
import { runtimeCondition } from '../outages/runtime-condition.js';
import { diskSubject, serverConditions } from '../outages/server-conditions.js';
import { SLICE_PREFIX, sliceConditions, sliceSubject } from '../outages/slice-conditions.js';
import type { ServerReading } from '../telemetry/readings.js';
import { TelemetryStore } from '../telemetry/telemetry-store.js';
import { failingTogether } from './common-cause.js';
import { within } from './deadline.js';
import { FaultLog } from './fault-log.js';
import { Healer } from './healer.js';
import { MonitorOptions } from './monitor-options.js';
import { SampleWriter } from './sample-writer.js';
import { ServerGauge } from './server-gauge.js';
import { type Measured, SliceGauge, type Surroundings } from './slice-gauge.js';

/** So many slices are begun with at once. */
const BATCH = 20;

/** A slice's outage is over after three good checks in a row: one that comes and goes has one. */
const INTERVALS_TO_SETTLE = 2;

/** What a pass has seen. */
interface Seen {
  readonly surroundings: Surroundings;
  readonly slices: readonly WatchedSlice[];
  readonly measured: readonly Measured[];
  /** Those that fail for a common cause. */
  readonly together: ReadonlySet<number>;
  readonly reading: ServerReading;
}

/**
 * One look at everything: slices, backends, the server. It stores what it sees, restarts what is not well, and sees to
 * it that the operator hears of what matters. Who runs it sees to it that it runs once at a time.
 */
@Injectable()
export class MonitorPass {
  private readonly faults = new FaultLog(new Logger(MonitorPass.name));
  /** Gave no answer in the pass before: they come last, so that the others need not wait for their slots. */
  private hung: ReadonlySet<number> = new Set();

  constructor(
    private readonly supervision: SliceSupervision,
    @Inject(SliceRuntime) private readonly runtime: SliceRuntime,
    private readonly databases: SliceDatabaseFigures,
    private readonly gauge: SliceGauge,
    private readonly server: ServerGauge,
    private readonly store: TelemetryStore,
    private readonly healer: Healer,
    private readonly outages: Outages,
    private readonly disk: DiskSpace,
    private readonly backends: Backends,
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly config: AppConfig,
    private readonly options: MonitorOptions,
  ) {}

  /**
   * @param signal ends it early: another replica may run by then, so nothing is decided any more
   * @param probes of all backends, which every gateway makes at this interval
   * @throws what the database throws
   */
  async run(signal: AbortSignal, probes: Promise<void>): Promise<void> {
    const at = this.clock.now();
    await this.begin(at);
    const slices = await this.supervision.all();
    const surroundings = await this.lookAround(at, slices.length);
    const [{ measured, together }, reading] = await Promise.all([
      this.lookAfter(slices, surroundings, signal),
      this.readServer(surroundings),
      probes,
    ]);
    if (signal.aborted) return;
    await this.settle({ surroundings, slices, measured, together, reading });
    const healthy = measured.filter((each) => each.reading.healthy === true);
    await this.supervision.healthy(
      healthy.map(({ slice }) => slice.id),
      at,
    );
    if (!signal.aborted) await this.store.rollUp(this.clock.now());
  }

  /** From here on a pass that began before, wherever it runs, has no say any more. */
  private async begin(at: Date): Promise<void> {
    await this.store.prepare(at);
    const lastPassBy = `${hostname()} (${process.pid})`;
    await this.dataSource.manager.update(MonitorState, { id: 1 }, { lastPassAt: at, lastPassBy });
  }

  private async lookAround(at: Date, sliceCount: number): Promise<Surroundings> {
    const { figuresTimeoutMs, listPerSliceMs } = this.options;
    const listTimeoutMs = figuresTimeoutMs + sliceCount * listPerSliceMs;
    const patience = AbortSignal.timeout(figuresTimeoutMs);
    // Nobody is checked later for it: it takes PostgreSQL a while where there are many databases.
    const databases = this.orNull("the slices' databases", this.databases.usage(patience));
    const instances = await this.orNull('the runtime', within(listTimeoutMs, this.runtime.list()));
    const states = instances && new Map(instances.map(({ sliceId, state }) => [sliceId, state] as const));
    return { at, states, databases };
  }

  /** Measures the slices and restarts what is not well: backends that are dead hold nobody's restart up. */
  private async lookAfter(
    slices: readonly WatchedSlice[],
    surroundings: Surroundings,
    signal: AbortSignal,
  ): Promise<Pick<Seen, 'measured' | 'together'>> {
    const measured = await this.measureAll(slices, surroundings, signal);
    const sightings = measured.flatMap(sightingOf);
    const together = failingTogether(sightings);
    if (!signal.aborted) await this.healer.treat(sightings, together.size > 0, signal);
    return { measured, together };
  }

  private async measureAll(
    slices: readonly WatchedSlice[],
    surroundings: Surroundings,
    signal: AbortSignal,
  ): Promise<Measured[]> {
    this.gauge.keepOnly(new Set(slices.map(({ id }) => id)));
    const samples = new SampleWriter(this.store, this.options.flushMs, signal);
    const measuring: Array<Promise<Measured>> = [];
    for (const [i, slice] of this.inTurn(slices).entries()) {
      // Requests that are forwarded meanwhile get their turn.
      if (i % BATCH === 0) await turn();
      const result = this.gauge.measure(slice, surroundings, signal);
      measuring.push(result);
      void result.then(({ reading }) => samples.add(reading));
    }
    const measured = await Promise.all(measuring);
    await samples.end();
    this.hung = new Set(measured.flatMap(({ slice, hung }) => (hung ? [slice.id] : [])));
    return measured;
  }

  /** In another order each time, so that it is not always the same ones that wait. */
  private inTurn(slices: readonly WatchedSlice[]): WatchedSlice[] {
    const places = new Map(slices.map(({ id }) => [id, Math.random() + Number(this.hung.has(id))]));
    return slices.toSorted((a, b) => (places.get(a.id) ?? 0) - (places.get(b.id) ?? 0));
  }

  private async readServer({ at, databases }: Surroundings): Promise<ServerReading> {
    const reading = await this.server.read(at, await databases);
    await this.store.addServer(reading);
    return reading;
  }

  private async settle({ surroundings, slices, measured, together, reading }: Seen): Promise<void> {
    const settleMs = INTERVALS_TO_SETTLE * (this.config.monitor.intervalMs ?? 0);
    const ofSlices: Condition[] = measured.flatMap(({ slice, reading: { healthy } }) =>
      together.has(slice.id) ? [] : sliceConditions(slice, healthy, settleMs),
    );
    const ofBackends = backendConditions(this.backends.all);
    const disk = { name: await this.disk.name(), place: this.disk.place };
    const toRun = slices.filter(({ desiredState }) => desiredState === 'running');
    await this.outages.settle({
      passAt: surroundings.at,
      conditions: [
        runtimeCondition(surroundings.states !== null, settleMs),
        commonCondition(together.size, settleMs),
        ...ofSlices,
        ...ofBackends.conditions,
        ...serverConditions(reading, disk),
      ],
      looked: [diskSubject(disk.name)],
      complete: [SLICE_PREFIX, BACKEND_PREFIX],
      unsure: new Set([...toRun.map(({ id }) => sliceSubject(id)), ...ofBackends.unsure]),
    });
  }

  private async orNull<T>(what: string, looking: Promise<T>): Promise<T | null> {
    try {
      const found = await looking;
      this.faults.clear(what);
      return found;
    } catch (error) {
      return this.faults.note(what, `${what} could not be looked at: ${String(error)}`);
    }
  }
}

/** Only of slices that were due for a check. */
function sightingOf({ slice, reading: { healthy, state } }: Measured) {
  return healthy === null ? [] : [{ slice, healthy, state }];
}
