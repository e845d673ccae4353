import type { ForwardedEndpoint } from '#auth';

/** Between a request and its upstream. */
const ON_THE_WAY = ['UPSTREAM_BUSY', 'BAD_GATEWAY', 'GATEWAY_TIMEOUT', 'LOOP_DETECTED'] as const;

const OF_WORKERS = [
  'UNAUTHENTICATED',
  'API_KEY_FORBIDDEN',
  'RATE_LIMITED',
  'NO_HEALTHY_BACKEND',
  'DATABASE_UNAVAILABLE',
  ...ON_THE_WAY,
] as const;

/**
 * What the edge serves whatever config.yml says, and no controller knows of: for the OpenAPI document and the review of
 * permissions. Everything else that it routes is the operator's own.
 */
export const FORWARDED_ENDPOINTS: readonly ForwardedEndpoint[] = [
  {
    method: 'GET',
    path: '/health/:service',
    access: 'public',
    tag: 'health',
    operationId: 'Edge_healthOfService',
    summary: 'The health of a service of config.yml, by its own word',
    answer: 'What the service answers at its health path, whatever its status',
    body: null,
    errors: ['NOT_FOUND', 'MISSING_TARGET', 'NO_HEALTHY_BACKEND', ...ON_THE_WAY],
  },
  {
    method: 'GET',
    path: '/api/gateway/target',
    access: 'API key',
    tag: 'workers',
    operationId: 'Edge_target',
    summary: 'What a worker is to do next, from the pool `input`',
    answer: 'What a server of the pool answers to GET /target, whatever its status',
    body: null,
    errors: OF_WORKERS,
  },
  {
    method: 'POST',
    path: '/api/gateway/result',
    access: 'API key',
    tag: 'workers',
    operationId: 'Edge_result',
    summary: 'What a worker has found out, for the pool `output`',
    answer: 'What a server of the pool answers to POST /result, whatever its status',
    body: 'What the servers of the pool take; it is passed on as it comes, of any type and length',
    errors: ['REQUEST_TIMEOUT', ...OF_WORKERS],
  },
];
