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

/**
 * Query parameters whose values are secrets, by a word in their name: `key`, `access_token`, `X-Admin-Key`. URLs are
 * logged. A name can be percent-encoded as well; nobody does that who means to keep a secret.
 */
const SECRET_PARAMETERS =
  /([?&][^=&#]*(?:key|token|code|state|passw|secret|signature|session|credential|auth)[^=&#]*=)[^&#]*/gi;

/** The URL as it may be logged. */
export function redactUrl(url: string): string {
  return url.replace(SECRET_PARAMETERS, '$1[redacted]');
}
