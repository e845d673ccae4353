/**
 * Fields that concern one connection only (RFC 9110 §7.6.1, and RFC 2616's for the older upstreams). `Trailer` is
 * not among them: the trailers of responses are passed on.
 */
export const HOP_BY_HOP: readonly string[] = [
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
];

/** Fields that say where a message ends or goes; naming one of them in `Connection` must not remove it. */
const NEVER_LISTED: ReadonlySet<string> = new Set(['host', 'content-length']);

/**
 * The further fields that a `Connection` header declares to be hop-by-hop, lower-cased; null for the usual
 * `keep-alive`, `close` and `Upgrade`, which name none.
 */
export function connectionListed(
  connection: string | readonly string[] | undefined,
): ReadonlySet<string> | null {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return null;
  const tokens = String(connection).toLowerCase().split(',');
  return new Set(tokens.map((token) => token.trim()).filter((token) => !NEVER_LISTED.has(token)));
}
