import { z } from 'zod';
import { requestTarget, settingsId, upstreamUrl } from '#config';

/** The same names as in config.yml, and the same URLs and paths below. */
export const poolName = settingsId;

export const backendId = z.uuid('must be the id of a backend');

export const newPoolSchema = z
  .strictObject({
    name: poolName,
    /** What is asked of its backends to see whether they are up; `/health` where nothing is said. */
    health: requestTarget.optional(),
  })
  .meta({ example: { name: 'input', health: '/health' } });
export type NewPool = z.infer<typeof newPoolSchema>;

export const newBackendSchema = z
  .strictObject({ url: upstreamUrl })
  .meta({ example: { url: 'http://10.0.0.5:8080' } });
export type NewBackend = z.infer<typeof newBackendSchema>;

/** In the body or in the query: not every client sends a body with DELETE. */
export const removedBackendSchema = z
  .strictObject({ url: upstreamUrl.optional() })
  .meta({ example: { url: 'http://10.0.0.5:8080' } })
  .prefault({});
export type RemovedBackend = z.infer<typeof removedBackendSchema>;

export const removedBackendQuery = z.strictObject({ url: upstreamUrl.optional() });

const milliseconds = z.int().nullable();

export const backendState = z
  .object({
    /** `unknown` until the first probe is back. */
    status: z.enum(['up', 'down', 'unknown']),
    /** Times are in milliseconds since 1970. */
    lastUp: milliseconds,
    firstDownAt: milliseconds,
    notifiedDown: z.boolean(),
    lastCheck: milliseconds,
    /** Of the last probe, where it found the backend up. */
    latencyMs: z.int().nullable(),
  })
  .meta({ id: 'BackendState' });

export const backendStates = z.record(z.string(), backendState);
export type BackendStates = z.infer<typeof backendStates>;

/** Where it was declared; what config.yml declares is changed there. */
const declaredBy = z.enum(['config', 'admin']);

export const backendResponse = z
  .object({
    /** Null for the backends of config.yml. */
    id: z.uuid().nullable(),
    url: z.string(),
    source: declaredBy,
    /** Whether requests go there now: no probe found it down, and no request has just failed there. */
    healthy: z.boolean(),
    state: backendState,
  })
  .meta({ id: 'Backend' });
export type BackendView = z.infer<typeof backendResponse>;

export const backendsResponse = z.array(backendResponse);

export const poolResponse = z
  .object({
    name: z.string(),
    source: declaredBy,
    /** What is asked of its backends. */
    health: z.string(),
    healthy: z.int(),
    backends: backendsResponse,
  })
  .meta({ id: 'Pool' });
export type PoolView = z.infer<typeof poolResponse>;

export const poolsResponse = z.array(poolResponse);

/** Backends that take requests now. */
export const gatewayStats = z
  .object({
    input_backends: z.int(),
    output_backends: z.int(),
    /** Of all pools together. */
    total_backends: z.int(),
    /** Of each pool, by its name. */
    pools: z.record(z.string(), z.int()),
  })
  .meta({ id: 'GatewayStats' });
export type GatewayStats = z.infer<typeof gatewayStats>;
