import { z } from 'zod';
import { sliceEventResponse, administeredSlice } from '../slices/schemas.js';

const figure = z.number().nullable();
const time = z.iso.datetime();

const reading = {
  /** When the monitor looked; null where it has not in the last ten minutes. */
  at: time.nullable(),
  /** Null: it is not meant to run, or nobody has looked. */
  healthy: z.boolean().nullable(),
  latencyMs: figure,
  /** Of one core. */
  cpuPercent: figure,
  memoryBytes: figure,
  databaseBytes: figure,
  connections: figure,
};

export const watchedSlice = z
  .object({
    id: z.int(),
    name: z.string(),
    status: z.enum(['provisioning', 'active', 'stopped', 'failed', 'destroying', 'destroyed']),
    desired: z.enum(['running', 'stopped', 'absent']),
    owner: z.uuid().nullable(),
    ownerEmail: z.string().nullable(),
    ...reading,
  })
  .meta({ id: 'WatchedSlice' });
export type WatchedSlice = z.infer<typeof watchedSlice>;

const server = z
  .object({
    at: time,
    /** Of all cores together. */
    cpuPercent: figure,
    load: z.number(),
    memoryUsedBytes: z.number(),
    memoryTotalBytes: z.number(),
    /** Of the file system under `DATA_DIR`. */
    diskUsedBytes: figure,
    diskTotalBytes: figure,
    /** To PostgreSQL. */
    connections: figure,
    maxConnections: figure,
  })
  .meta({ id: 'ServerReading' });

export const dashboardResponse = z
  .object({
    at: time,
    /** Of the gateway that answers. */
    version: z.string(),
    /** What the monitor saw last; null where it has not looked in the last ten minutes. */
    server: server.nullable(),
    slices: z.object({
      total: z.int(),
      /** For a customer to come. */
      unclaimed: z.int(),
      /** Not well when the monitor looked last. */
      unhealthy: z.int(),
      byStatus: z.record(z.string(), z.int()),
      /** Every live slice, the oldest first. */
      list: z.array(watchedSlice),
    }),
    users: z.object({
      total: z.int(),
      admins: z.int(),
      disabled: z.int(),
      verified: z.int(),
      withTotp: z.int(),
      newLastWeek: z.int(),
    }),
    /** The app's own figures, by their names in config.yml: over all slices. */
    appMetrics: z.record(
      z.string(),
      z.object({ sum: z.number(), average: z.number(), max: z.number(), slices: z.int() }),
    ),
    /** By status, in Stripe's words; null where billing is disabled. */
    subscriptions: z.record(z.string(), z.int()).nullable(),
  })
  .meta({ id: 'Dashboard' });
export type Dashboard = z.infer<typeof dashboardResponse>;

const column = z.array(z.number().nullable());

export const sliceDetailResponse = z
  .object({
    slice: administeredSlice,
    /** The process or container as it is now; null when there is none, or the runtime does not answer. */
    container: z
      .object({
        /** Container id or process id. */
        ref: z.string(),
        state: z.enum(['running', 'exited']),
        exitCode: z.int().nullable(),
        startedAt: time,
        generation: z.int(),
        memoryBytes: figure,
        /** Since it was started. */
        cpuSeconds: figure,
      })
      .nullable(),
    /** What the monitor saw last. */
    latest: z.object(reading),
    /** The app's own figures, as they were last. */
    appMetrics: z.record(z.string(), z.number()),
    /** Of the last 24 hours: columns of the same length. */
    telemetry: z.object({
      from: time,
      to: time,
      stepSeconds: z.int(),
      /** Beginnings of the steps, seconds since 1970. */
      at: z.array(z.int()),
      availability: column,
      latencyMs: column,
      cpuPercent: column,
      memoryBytes: column,
      databaseBytes: column,
      connections: column,
      metrics: z.record(z.string(), column),
    }),
    /** The last steps that were taken with it. */
    events: z.array(sliceEventResponse),
  })
  .meta({ id: 'SliceDetail' });
export type SliceDetail = z.infer<typeof sliceDetailResponse>;
