import type { Resolution } from './resolution.js';

/* Series come as JSON from PostgreSQL: objects of ours for each of 34,000 points would hold the event loop up. */

/** date_bin (PostgreSQL 14) counts from here. */
const ORIGIN = `TIMESTAMPTZ '1970-01-01 00:00:00Z'`;

const LATEST = `
  SELECT sample.slice_id AS "sliceId", sample.at, sample.healthy, sample.latency_ms AS "latencyMs", sample.state,
         sample.cpu_percent AS "cpuPercent", sample.memory_bytes AS "memoryBytes",
         sample.database_bytes AS "databaseBytes", sample.connections, sample.metrics
    FROM slice CROSS JOIN LATERAL (
      SELECT * FROM slice_sample WHERE slice_id = slice.id AND at > $1 ORDER BY at DESC LIMIT 1) sample
   WHERE slice.destroyed_at IS NULL`;

/** The latest sample after `$1` of each live slice: one look at the index for each. */
export const LATEST_OF_SLICES = `${LATEST} ORDER BY slice.id`;

/** The same of slice `$2`. */
export const LATEST_OF_SLICE = `${LATEST} AND slice.id = $2`;

const COLUMNS = `checks, healthy, latency_ms, cpu_percent, memory_bytes, database_bytes, connections, metrics`;

/** Samples put together step by step: means of what is a rate, the most of what has a limit, the latest of the rest. */
function binned(seconds: string, where: string): string {
  return `
    SELECT slice_id, date_bin(make_interval(secs => ${seconds}), at, ${ORIGIN}) AS at,
           count(healthy) AS checks, count(*) FILTER (WHERE healthy) AS healthy, avg(latency_ms)::real AS latency_ms,
           avg(cpu_percent) AS cpu_percent, max(memory_bytes) AS memory_bytes, max(database_bytes) AS database_bytes,
           max(connections) AS connections,
           (array_agg(metrics ORDER BY at DESC) FILTER (WHERE metrics IS NOT NULL))[1] AS metrics
      FROM slice_sample WHERE ${where} GROUP BY 1, 2`;
}

/** Parameters: ids, from, to, step in seconds; with roll-ups also the moment where these end and samples begin. */
export function sliceSeries({ fine }: Resolution): string {
  const points = fine
    ? binned('$4', 'slice_id = ANY($1) AND at >= $2 AND at <= $3')
    : `SELECT slice_id, at, ${COLUMNS} FROM slice_rollup
        WHERE step_seconds = $4 AND slice_id = ANY($1) AND at >= $2 AND at < $5
       UNION ALL ${binned('$4', 'slice_id = ANY($1) AND at >= greatest($2, $5) AND at <= $3')}`;
  return `
  SELECT slice_id AS "sliceId",
         json_agg(extract(epoch FROM at)::bigint) AS at,
         json_agg(CASE WHEN checks > 0 THEN round(healthy::numeric / checks, 3) END) AS availability,
         json_agg(round(latency_ms::numeric)) AS "latencyMs",
         json_agg(round(cpu_percent::numeric, 1)) AS "cpuPercent",
         json_agg(memory_bytes) AS "memoryBytes",
         json_agg(database_bytes) AS "databaseBytes",
         json_agg(connections) AS connections,
         json_agg(metrics) AS metrics
    FROM (SELECT * FROM (${points}) point ORDER BY slice_id, at) ordered
   GROUP BY slice_id ORDER BY slice_id`;
}

/** Rolls up the samples from `$1` until before `$2`, both beginnings of steps of `$3` seconds. Safe to repeat. */
export const ROLL_UP = `
  INSERT INTO slice_rollup (slice_id, at, ${COLUMNS}, step_seconds)
  SELECT step.*, $3 FROM (${binned('$3', 'at >= $1 AND at < $2')}) step ORDER BY at, slice_id
  ON CONFLICT (step_seconds, slice_id, at) DO NOTHING`;

/** Parameters: from, to, step in seconds. */
export const SERVER_SERIES = `
  SELECT coalesce(json_agg(extract(epoch FROM step)::bigint), '[]') AS at,
         coalesce(json_agg(round(cpu_percent::numeric, 1)), '[]') AS "cpuPercent",
         coalesce(json_agg(round(load::numeric, 2)), '[]') AS load,
         coalesce(json_agg(memory_used_bytes), '[]') AS "memoryUsedBytes",
         coalesce(json_agg(memory_total_bytes), '[]') AS "memoryTotalBytes",
         coalesce(json_agg(disk_used_bytes), '[]') AS "diskUsedBytes",
         coalesce(json_agg(disk_total_bytes), '[]') AS "diskTotalBytes",
         coalesce(json_agg(connections), '[]') AS connections,
         coalesce(json_agg(max_connections), '[]') AS "maxConnections"
    FROM (
      SELECT date_bin(make_interval(secs => $3), at, ${ORIGIN}) AS step, avg(cpu_percent) AS cpu_percent,
             avg(load) AS load, max(memory_used_bytes) AS memory_used_bytes,
             max(memory_total_bytes) AS memory_total_bytes, max(disk_used_bytes) AS disk_used_bytes,
             max(disk_total_bytes) AS disk_total_bytes, max(connections) AS connections,
             max(max_connections) AS max_connections
        FROM server_sample WHERE at >= $1 AND at <= $2 GROUP BY 1 ORDER BY 1) binned`;
