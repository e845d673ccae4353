import { z } from 'zod';
import { LONGEST_HOURS, SHORTEST_HOURS } from './resolution.js';

const LARGEST_PAGE = 1_000_000;

/** A decimal number as people write it; what is outside the bounds is taken for the nearest one inside. */
const hours = z
  .string()
  .regex(/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i, 'must be a number')
  .transform((text) => Math.min(LONGEST_HOURS, Math.max(SHORTEST_HOURS, Math.ceil(Number(text)))))
  .default(24);

const page = z
  .string()
  .regex(/^[1-9]\d{0,6}$/, 'must be a whole number from 1')
  .transform(Number)
  .pipe(z.number().max(LARGEST_PAGE))
  .default(1);

export const serverQuery = z.strictObject({ hours });
export type ServerQuery = z.infer<typeof serverQuery>;

export const slicesQuery = z.strictObject({ hours, page });
export type SlicesQuery = z.infer<typeof slicesQuery>;

/** One figure at each time; null where there is none. */
const column = z.array(z.number().nullable());
const times = z.array(z.int()).describe('Beginnings of the steps, seconds since 1970');

const span = {
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  stepSeconds: z.int().describe('From one point to the next'),
};

export const serverSeries = z
  .object({
    at: times,
    cpuPercent: column.describe('Of all cores together'),
    load: column.describe('Over one minute'),
    memoryUsedBytes: column,
    memoryTotalBytes: column,
    diskUsedBytes: column.describe('Of the file system under DATA_DIR'),
    diskTotalBytes: column,
    connections: column.describe('To PostgreSQL'),
    maxConnections: column,
  })
  .meta({ id: 'ServerSeries' });

export const serverTelemetry = z.object({ ...span, server: serverSeries });
export type ServerTelemetry = z.infer<typeof serverTelemetry>;

export const sliceSeries = z
  .object({
    id: z.int(),
    name: z.string(),
    at: times,
    availability: column.describe('Share of the health checks that were good, 0 to 1'),
    latencyMs: column.describe('Of the good health checks'),
    cpuPercent: column.describe('Of one core'),
    memoryBytes: column,
    databaseBytes: column,
    connections: column.describe('To its database'),
    metrics: z.record(z.string(), column).describe("The app's own figures, by their names in config.yml"),
  })
  .meta({ id: 'SliceSeries' });

export const slicesTelemetry = z.object({
  ...span,
  slices: z.array(sliceSeries),
  /** Of all pages. */
  total: z.int(),
  page: z.int(),
  pageSize: z.int(),
});
export type SlicesTelemetry = z.infer<typeof slicesTelemetry>;
