/**
 * Paths that never reach a log line. Bodies are not logged at all; these are the places where a secret stands in
 * headers or in objects that are logged whole.
 */
export const REDACTED_PATHS: readonly string[] = [
  'req.headers.authorization',
  'req.headers.cookie',
  'req.headers["x-admin-key"]',
  'req.headers["proxy-authorization"]',
  'res.headers["set-cookie"]',
  '*.password',
  '*.passwordHash',
  '*.adminKey',
  '*.secretKey',
  '*.connectionString',
];

/** Query parameters whose values are secrets: they stand in URLs, which are logged. */
const SECRET_PARAMETERS = /([?&](?:key|token|code|state|password|secret|signature)=)[^&#]*/gi;

/** The URL as it may be logged. */
export function redactUrl(url: string): string {
  return url.replace(SECRET_PARAMETERS, '$1[redacted]');
}
