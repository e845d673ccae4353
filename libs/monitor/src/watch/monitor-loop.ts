import { setTimeout as wait } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { DataSource } from 'typeorm';
import { Clock, Complaint, Metrics } from '#common';
import { AppConfig } from '#config';
import { ControlConnection, Election, MonitorState } from '#database';
import { BackendProber } from '#proxy';
import { MonitorOptions } from './monitor-options.js';
import { MonitorPass } from './monitor-pass.js';

const SCHEDULE = 'monitor';

/** Of gateways that do not watch: requests need the state of backends all the same. */
const PROBE_EVERY_MS = 60_000;

/** No pass begins later than by this share of the interval. */
const JITTER_SHARE = 0.05;

/**
 * Runs a pass at each interval, never two at a time, on one replica: another takes over when that one goes. Each
 * gateway probes the backends itself, since what one of them can't reach another may.
 */
@Injectable()
export class MonitorLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(MonitorLoop.name);
  private readonly election: Election;
  private readonly stopping = new AbortController();
  /** Aborted at the end of our time as the leader; null while another one is. */
  private term: AbortSignal | null = null;
  private underWay: Promise<void> | null = null;
  private readonly complaint = new Complaint();

  constructor(
    private readonly schedule: SchedulerRegistry,
    control: ControlConnection,
    private readonly pass: MonitorPass,
    private readonly prober: BackendProber,
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly config: AppConfig,
    private readonly options: MonitorOptions,
    private readonly metrics: Metrics,
  ) {
    this.election = new Election(control, 'monitor');
  }

  onApplicationBootstrap(): void {
    const { intervalMs } = this.config.monitor;
    const timer = setInterval(() => void this.tick(), intervalMs ?? PROBE_EVERY_MS);
    this.schedule.addInterval(SCHEDULE, timer);
    if (intervalMs !== null) void this.election.run((term) => this.lead(term, intervalMs));
  }

  /** The pass under way is broken off; what it has begun to write, it writes. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    if (this.schedule.doesExist('interval', SCHEDULE)) this.schedule.deleteInterval(SCHEDULE);
    await this.election.stop();
    await this.underWay;
  }

  /** What the schedule calls. Resolves when the pass is over; one that comes during another joins it. */
  tick(): Promise<void> {
    this.underWay ??= this.work().finally(() => (this.underWay = null));
    return this.underWay;
  }

  /** The first pass comes at once when none was made for an interval: the leader before us may be long gone. */
  private async lead(term: AbortSignal, intervalMs: number): Promise<void> {
    this.term = term;
    try {
      const state = await this.dataSource.manager.findOneBy(MonitorState, { id: 1 });
      const last = state?.lastPassAt?.getTime() ?? 0;
      if (this.clock.nowMs() - last >= intervalMs) void this.tick();
      await ended(term);
    } finally {
      this.term = null;
      // The lock is given back after that: two passes never overlap, whoever makes them.
      await this.underWay;
    }
  }

  private async work(): Promise<void> {
    await this.jitter();
    const { term } = this;
    if (this.stopping.signal.aborted) return;
    try {
      // Also while the database is away, and with it the pass, which waits for what they find.
      const probes = this.prober.probeAll();
      await Promise.all([probes, term === null ? undefined : this.timed(term, probes)]);
      this.complaint.end();
    } catch (error) {
      this.complain(error);
    }
  }

  private async timed(term: AbortSignal, probes: Promise<void>): Promise<void> {
    const begun = performance.now();
    await this.pass.run(term, probes);
    this.metrics.monitorPass.observe((performance.now() - begun) / 1000);
  }

  private async jitter(): Promise<void> {
    const { intervalMs } = this.config.monitor;
    const most = Math.min((intervalMs ?? 0) * JITTER_SHARE, this.options.jitterMs);
    const { signal } = this.stopping;
    await wait(Math.random() * most, undefined, { signal, ref: false }).catch(() => undefined);
  }

  /** A database that is away stays so for many passes. */
  private complain(error: unknown): void {
    if (this.complaint.isNews(error))
      this.logger.error({ err: error }, 'the monitor could not finish its pass; it is tried again');
  }
}

/** Resolves when the signal is aborted. */
function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
