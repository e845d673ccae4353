import { Injectable, Logger } from '@nestjs/common';
import { DataSource, LessThan } from 'typeorm';
import { errorCode } from '#common';
import { MonitorState, ServerSample } from '#database';
import { DailyPartitions } from './partitions.js';
import type { ServerReading, SliceReading } from './readings.js';
import { ROLLUP_SECONDS, stepBefore } from './resolution.js';
import { ROLL_UP } from './series-sql.js';

const DAY_MS = 86_400_000;
const RETENTION_MS = 8 * DAY_MS;

/** SQLSTATE `lock_not_available`: `lock_timeout` was reached. */
const LOCK_NOT_AVAILABLE = '55P03';
const [NARROW_SECONDS] = ROLLUP_SECONDS;

/** A check that hangs is stored late: a roll-up waits for it. */
const LATEST_SAMPLE_MS = 30_000;

/** What was missed, as when no gateway ran, is made up for by so much in one pass. */
const LONGEST_ROLLUP_MS = DAY_MS / 12;

const INSERT_SLICES = `
  INSERT INTO slice_sample (slice_id, at, healthy, latency_ms, state, cpu_percent, memory_bytes, database_bytes,
                            connections, metrics)
  SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::bool[], $4::int[], $5::text[], $6::real[], $7::bigint[],
                       $8::bigint[], $9::int[], $10::jsonb[])
  ON CONFLICT (slice_id, at) DO NOTHING`;

/** Where samples go, and where they end. */
@Injectable()
export class TelemetryStore {
  private readonly partitions: readonly DailyPartitions[];
  /** The day up to which there are partitions; asking again would cost every pass two queries. */
  private preparedFor = '';

  private readonly logger = new Logger(TelemetryStore.name);

  constructor(private readonly dataSource: DataSource) {
    this.partitions = ['slice_sample', 'slice_rollup'].map((table) => new DailyPartitions(dataSource, table));
  }

  /** There is room for samples of this time, and of tomorrow; what is older than eight days is gone. */
  async prepare(at: Date): Promise<void> {
    const day = at.toISOString().slice(0, 10);
    if (day === this.preparedFor) return;
    const [yesterday, tomorrow] = [-DAY_MS, DAY_MS].map((offset) => new Date(at.getTime() + offset));
    for (const partitions of this.partitions) await partitions.ensure(yesterday ?? at, at, tomorrow ?? at);
    if (await this.forget(new Date(at.getTime() - RETENTION_MS))) this.preparedFor = day;
  }

  /** Whether it is done: who reads what is to go for long must not keep new samples from being stored. */
  private async forget(before: Date): Promise<boolean> {
    try {
      for (const partitions of this.partitions) await partitions.dropBefore(before);
      await this.dataSource.manager.delete(ServerSample, { at: LessThan(before) });
      return true;
    } catch (error) {
      if (errorCode(error) !== LOCK_NOT_AVAILABLE) throw error;
      this.logger.warn('old telemetry is being read, and is dropped later');
      return false;
    }
  }

  /** One statement, however many. */
  async addSlices(readings: readonly SliceReading[]): Promise<void> {
    if (readings.length === 0) return;
    const column = <T>(of: (reading: SliceReading) => T): T[] => readings.map(of);
    await this.dataSource.query(INSERT_SLICES, [
      column(({ sliceId }) => sliceId),
      column(({ at }) => at),
      column(({ healthy }) => healthy),
      column(({ latencyMs }) => latencyMs),
      column(({ state }) => state),
      column(({ cpuPercent }) => cpuPercent),
      column(({ memoryBytes }) => memoryBytes),
      column(({ databaseBytes }) => databaseBytes),
      column(({ connections }) => connections),
      column(({ metrics }) => (Object.keys(metrics).length === 0 ? null : JSON.stringify(metrics))),
    ]);
  }

  async addServer(reading: ServerReading): Promise<void> {
    await this.dataSource
      .createQueryBuilder()
      .insert()
      .into(ServerSample)
      .values({ ...reading })
      .orIgnore()
      .execute();
  }

  /** Rolls up the steps that are complete by now, of each width. */
  async rollUp(now: Date): Promise<void> {
    const complete = stepBefore(now.getTime() - LATEST_SAMPLE_MS, NARROW_SECONDS).getTime();
    await this.dataSource.transaction(async (manager) => {
      const state = await manager.findOneByOrFail(MonitorState, { id: 1 });
      const done = state.rolledUpTo?.getTime() ?? complete - NARROW_SECONDS * 1000;
      if (done >= complete) return;
      // What is older than that is about to go, and has no partition to go to.
      const begin = Math.max(done, complete - RETENTION_MS + DAY_MS);
      const end = Math.min(complete, begin + LONGEST_ROLLUP_MS);
      for (const step of ROLLUP_SECONDS)
        await manager.query(ROLL_UP, [stepBefore(begin, step), stepBefore(end, step), step]);
      await manager.update(MonitorState, { id: 1 }, { rolledUpTo: new Date(end) });
    });
  }
}
