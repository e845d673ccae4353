import type { SliceReading } from '#monitor';
import type { WatchedSlice } from './schemas.js';

type Reading = Pick<
  WatchedSlice,
  'at' | 'healthy' | 'latencyMs' | 'cpuPercent' | 'memoryBytes' | 'databaseBytes' | 'connections'
>;

const UNSEEN: Reading = {
  at: null,
  healthy: null,
  latencyMs: null,
  cpuPercent: null,
  memoryBytes: null,
  databaseBytes: null,
  connections: null,
};

/** What the monitor saw of a slice last, as an answer has it. */
export function readingOf(reading: SliceReading | undefined): Reading {
  if (reading === undefined) return UNSEEN;
  const { at, healthy, latencyMs, cpuPercent, memoryBytes, databaseBytes, connections } = reading;
  return { at: at.toISOString(), healthy, latencyMs, cpuPercent, memoryBytes, databaseBytes, connections };
}
