import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '#common';
import { SettingsInForce } from '#config';
import type { InstanceState } from '#database';
import {
  type DatabaseFigures,
  SliceDatabaseFigures,
  SliceRuntime,
  SliceSupervision,
  type WatchedSlice,
} from '#orchestrator';
import type { SliceReading } from '../telemetry/readings.js';
import { within } from './deadline.js';
import { FaultLog } from './fault-log.js';
import { MonitorOptions } from './monitor-options.js';
import { PatientSlots } from './patient-slots.js';
import { type Check, SliceProbe, UNWELL } from './slice-probe.js';

/** What a pass found out about all slices at once; null where it could not. */
export interface Surroundings {
  readonly at: Date;
  readonly states: ReadonlyMap<number, InstanceState> | null;
  /** Never rejects. */
  readonly databases: Promise<DatabaseFigures | null>;
}

/** A slice as it was measured. */
export interface Measured {
  readonly slice: WatchedSlice;
  readonly reading: SliceReading;
  readonly hung: boolean;
}

interface CpuReading {
  readonly seconds: number;
  readonly atMs: number;
}

/** Measures slices, many at once, none of which holds up the others. */
@Injectable()
export class SliceGauge {
  private readonly faults = new FaultLog(new Logger(SliceGauge.name));
  private readonly checks: PatientSlots;
  private readonly usages: PatientSlots;
  private readonly apps: PatientSlots;
  private readonly cpu = new Map<number, CpuReading>();

  constructor(
    private readonly probe: SliceProbe,
    private readonly supervision: SliceSupervision,
    @Inject(SliceRuntime) private readonly runtime: SliceRuntime,
    private readonly databases: SliceDatabaseFigures,
    private readonly settings: SettingsInForce,
    private readonly clock: Clock,
    private readonly options: MonitorOptions,
  ) {
    const { parallelism, appParallelism, patienceMs } = options;
    this.checks = new PatientSlots(parallelism, patienceMs);
    this.usages = new PatientSlots(parallelism, patienceMs);
    this.apps = new PatientSlots(appParallelism, patienceMs);
  }

  /** Forgets all slices but these. */
  keepOnly(ids: ReadonlySet<number>): void {
    for (const id of this.cpu.keys()) if (!ids.has(id)) this.cpu.delete(id);
    this.faults.keepOnly((key) => ids.has(Number(key.split(':', 1)[0])));
  }

  /** Never rejects: what can't be found out is null. */
  async measure(slice: WatchedSlice, surroundings: Surroundings, signal: AbortSignal): Promise<Measured> {
    const { at, states, databases } = surroundings;
    // Of what somebody else runs the runtime knows nothing.
    const isUnseen = states === null || slice.runtime === 'external';
    const state = isUnseen ? null : (states.get(slice.id) ?? 'absent');
    const runs = state === 'running' || state === null;
    const [check, usage, metrics, figures] = await Promise.all([
      isDue(slice) ? (runs ? this.check(slice, signal) : UNWELL) : null,
      state === 'running' ? this.usage(slice.id) : null,
      runs && slice.desiredState === 'running' ? this.metrics(slice, signal) : {},
      databases,
    ]);
    const database = figures?.slices.get(slice.id);
    const reading: SliceReading = {
      sliceId: slice.id,
      at,
      healthy: check === null ? null : check.healthy,
      latencyMs: check?.latencyMs ?? null,
      state,
      cpuPercent: usage?.cpuPercent ?? null,
      memoryBytes: usage?.memoryBytes ?? null,
      databaseBytes: database?.bytes ?? null,
      connections: database?.connections ?? null,
      metrics,
    };
    return { slice, reading, hung: check?.hung ?? false };
  }

  private async check(slice: WatchedSlice, signal: AbortSignal): Promise<Check> {
    const key = `${slice.id}:check`;
    const check = await this.checks
      .run(async () => {
        await this.supervision.ensureReach(slice);
        return signal.aborted ? UNWELL : this.probe.check(slice, signal);
      })
      .catch((error: unknown) => this.faults.note(key, String(error)));
    if (check === null) return UNWELL;
    this.faults.clear(key);
    return check;
  }

  private async usage(id: number): Promise<{ memoryBytes: number; cpuPercent: number | null } | null> {
    const usage = await this.usages
      .run(() => within(this.options.figuresTimeoutMs, this.runtime.usage(id)))
      .catch((error: unknown) => this.faults.note(`${id}:usage`, String(error)));
    if (usage === null) return null;
    this.faults.clear(`${id}:usage`);
    const now = { seconds: usage.cpuSeconds, atMs: this.clock.nowMs() };
    const before = this.cpu.get(id);
    this.cpu.set(id, now);
    // Fewer seconds than before: it was started anew in between.
    const isComparable = before !== undefined && now.atMs > before.atMs && now.seconds >= before.seconds;
    const cpuPercent = isComparable
      ? ((now.seconds - before.seconds) / (now.atMs - before.atMs)) * 1000 * 100
      : null;
    return { memoryBytes: usage.memoryBytes, cpuPercent };
  }

  private async metrics(slice: WatchedSlice, signal: AbortSignal): Promise<Readonly<Record<string, number>>> {
    const { appMetrics } = this.settings.current;
    if (appMetrics.length === 0) return {};
    const figures = await this.apps
      .run(() => {
        const patience = AbortSignal.timeout(this.options.figuresTimeoutMs);
        return this.databases.ofApp(slice, appMetrics, AbortSignal.any([signal, patience]));
      })
      .catch((error: unknown) => this.faults.note(`${slice.id}:`, String(error)));
    if (figures === null) return {};
    this.faults.clear(`${slice.id}:`);
    const { values, faults } = figures;
    for (const { name } of appMetrics) {
      const fault = faults[name];
      const key = `${slice.id}:${name}`;
      if (fault === undefined) this.faults.clear(key);
      else this.faults.note(key, `the app metric ${name} of slice ${slice.id} could not be read: ${fault}`);
    }
    return values;
  }
}

/** Whether its health tells something: it is meant to run, and no start of it is under way. */
export function isDue({ desiredState, status, generation, observedGeneration }: WatchedSlice): boolean {
  if (desiredState !== 'running' || observedGeneration < generation) return false;
  return status === 'active' || status === 'failed';
}
