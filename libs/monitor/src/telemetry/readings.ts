import type { InstanceState } from '#database';

/** What the monitor saw of a slice last. */
export interface SliceReading {
  readonly sliceId: number;
  readonly at: Date;
  /** Null: it is not meant to run. */
  readonly healthy: boolean | null;
  readonly latencyMs: number | null;
  readonly state: InstanceState | null;
  /** Of one core. */
  readonly cpuPercent: number | null;
  readonly memoryBytes: number | null;
  readonly databaseBytes: number | null;
  readonly connections: number | null;
  /** The app's own figures, by name; empty where there are none. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** What it saw of the server last. */
export interface ServerReading {
  readonly at: Date;
  /** Of all cores together. */
  readonly cpuPercent: number | null;
  readonly load: number;
  readonly memoryUsedBytes: number;
  readonly memoryTotalBytes: number;
  readonly diskUsedBytes: number | null;
  readonly diskTotalBytes: number | null;
  /** To PostgreSQL. */
  readonly connections: number | null;
  readonly maxConnections: number | null;
}

type Column = Array<number | null>;

/** One slice over time: columns of the same length, a point at each place. */
export interface SliceSeries {
  readonly sliceId: number;
  /** Beginnings of the steps, seconds since 1970. */
  readonly at: number[];
  /** Share of the checks that were healthy, 0 … 1; null where none was due. */
  readonly availability: Column;
  readonly latencyMs: Column;
  readonly cpuPercent: Column;
  readonly memoryBytes: Column;
  readonly databaseBytes: Column;
  readonly connections: Column;
  /** Of each of the app's figures the latest in the step, by its name. */
  readonly metrics: Record<string, Column>;
}

/** The server over time. */
export interface ServerSeries {
  readonly at: number[];
  readonly cpuPercent: Column;
  readonly load: Column;
  readonly memoryUsedBytes: Column;
  readonly memoryTotalBytes: Column;
  readonly diskUsedBytes: Column;
  readonly diskTotalBytes: Column;
  readonly connections: Column;
  readonly maxConnections: Column;
}

/** What a series covers, and how finely. */
export interface Span {
  readonly from: Date;
  readonly to: Date;
  readonly stepSeconds: number;
}
