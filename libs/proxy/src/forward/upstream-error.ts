import { errorCode, ProxyError } from '#common';

const TIMED_OUT: ReadonlySet<string> = new Set([
  'UPSTREAM_HEAD_TIMEOUT',
  'UPSTREAM_CONNECT_TIMEOUT',
  'ERR_UPSTREAM_UPGRADE_TIMEOUT',
  'ETIMEDOUT',
]);

/** An upstream's failure as the client is told: 504 for silence, 502 for everything else. */
export function upstreamError(cause: unknown): ProxyError {
  const code = errorCode(cause) ?? '';
  if (TIMED_OUT.has(code)) {
    return new ProxyError('GATEWAY_TIMEOUT', 'The application did not answer in time.', { cause });
  }
  if (code === 'UPSTREAM_NOT_SENDABLE') {
    return new ProxyError('BAD_REQUEST', 'The request can not be forwarded as it is.', { cause });
  }
  return new ProxyError('BAD_GATEWAY', 'The application could not be reached, or broke off its answer.', {
    cause,
  });
}
