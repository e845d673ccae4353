import { errorCode, ProxyError } from '#common';

const TIMED_OUT: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ERR_UPSTREAM_UPGRADE_TIMEOUT',
  'ETIMEDOUT',
]);

/** undici refuses to send what it can't frame safely; that is the request's fault, not the upstream's. */
const NOT_SENDABLE: ReadonlySet<string> = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED']);

/** An upstream's failure as the client is told: 504 for silence, 502 for everything else. */
export function upstreamError(cause: unknown): ProxyError {
  const code = errorCode(cause) ?? '';
  if (TIMED_OUT.has(code)) {
    return new ProxyError('GATEWAY_TIMEOUT', 'The application did not answer in time.', { cause });
  }
  if (NOT_SENDABLE.has(code)) {
    return new ProxyError('BAD_REQUEST', 'The request can not be forwarded as it is.', { cause });
  }
  return new ProxyError('BAD_GATEWAY', 'The application could not be reached, or broke off its answer.', {
    cause,
  });
}
