import { Injectable } from '@nestjs/common';
import { DataSource, MoreThan } from 'typeorm';
import { Clock } from '#common';
import { MonitorState, ServerSample } from '#database';
import type { ServerReading, ServerSeries, SliceReading, SliceSeries, Span } from './readings.js';
import { type Resolution, resolutionFor, stepBefore } from './resolution.js';
import { LATEST_OF_SLICE, LATEST_OF_SLICES, SERVER_SERIES, sliceSeries } from './series-sql.js';

/** What is older says nothing of now. */
const LATEST_MS = 10 * 60_000;

type SeriesRow = Omit<SliceSeries, 'metrics'> & {
  readonly metrics: ReadonlyArray<Record<string, number> | null>;
};
type LatestRow = Omit<SliceReading, 'memoryBytes' | 'databaseBytes' | 'metrics'> & {
  readonly memoryBytes: string | null;
  readonly databaseBytes: string | null;
  readonly metrics: Record<string, number> | null;
};

/** Reads what the monitor has stored, down-sampled where it is much. */
@Injectable()
export class TelemetryReader {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  /** The latest readings of the server and of every live slice, where there are any of the last ten minutes. */
  async latest(): Promise<{ server: ServerReading | null; slices: SliceReading[] }> {
    const after = new Date(this.clock.nowMs() - LATEST_MS);
    const [server, rows] = await Promise.all([
      this.dataSource.manager.findOne(ServerSample, {
        where: { at: MoreThan(after) },
        order: { at: 'DESC' },
      }),
      this.dataSource.query<LatestRow[]>(LATEST_OF_SLICES, [after]),
    ]);
    return { server, slices: rows.map(readingOf) };
  }

  /** The same of one slice; null where there is none. */
  async latestOf(sliceId: number): Promise<SliceReading | null> {
    const [row] = await this.dataSource.query<LatestRow[]>(LATEST_OF_SLICE, [
      new Date(this.clock.nowMs() - LATEST_MS),
      sliceId,
    ]);
    return row === undefined ? null : readingOf(row);
  }

  /** These slices over so many hours up to now, at most 1,000 points each, in the order they are asked for. */
  async series(sliceIds: readonly number[], hours: number): Promise<Span & { slices: SliceSeries[] }> {
    const resolution = resolutionFor(hours, this.clock.nowMs());
    const { from, to, stepSeconds } = resolution;
    const rows = await this.dataSource.query<SeriesRow[]>(sliceSeries(resolution), [
      sliceIds,
      from,
      to,
      stepSeconds,
      ...(resolution.fine ? [] : [await this.seam(resolution)]),
    ]);
    const found = new Map(rows.map((row) => [row.sliceId, { ...row, metrics: columnsOf(row.metrics) }]));
    return { from, to, stepSeconds, slices: sliceIds.map((id) => found.get(id) ?? withoutSamples(id)) };
  }

  /** The same of one slice. */
  async seriesOf(sliceId: number, hours: number): Promise<Span & { slice: SliceSeries }> {
    const { slices, ...span } = await this.series([sliceId], hours);
    const [slice = withoutSamples(sliceId)] = slices;
    return { ...span, slice };
  }

  /** The server over so many hours up to now, at most 1,000 points. */
  async serverSeries(hours: number): Promise<Span & { server: ServerSeries }> {
    const { from, to, stepSeconds } = resolutionFor(hours, this.clock.nowMs());
    const [server] = await this.dataSource.query<[ServerSeries]>(SERVER_SERIES, [from, to, stepSeconds]);
    return { from, to, stepSeconds, server };
  }

  /** Up to here the roll-ups are read, and from here the samples, which are few then. */
  private async seam({ from, stepSeconds }: Resolution): Promise<Date> {
    const { rolledUpTo } = await this.dataSource.manager.findOneByOrFail(MonitorState, { id: 1 });
    return rolledUpTo === null ? from : stepBefore(rolledUpTo.getTime(), stepSeconds);
  }
}

function withoutSamples(sliceId: number): SliceSeries {
  return {
    sliceId,
    at: [],
    availability: [],
    latencyMs: [],
    cpuPercent: [],
    memoryBytes: [],
    databaseBytes: [],
    connections: [],
    metrics: {},
  };
}

function readingOf(row: LatestRow): SliceReading {
  return {
    ...row,
    memoryBytes: numberOf(row.memoryBytes),
    databaseBytes: numberOf(row.databaseBytes),
    metrics: row.metrics ?? {},
  };
}

function numberOf(bigint: string | null): number | null {
  return bigint === null ? null : Number(bigint);
}

/** Of a figure that is not there at each point: null where it is not. */
function columnsOf(
  points: ReadonlyArray<Record<string, number> | null>,
): Record<string, Array<number | null>> {
  const names = new Set(points.flatMap((point) => Object.keys(point ?? {})));
  return Object.fromEntries([...names].map((name) => [name, points.map((point) => point?.[name] ?? null)]));
}
