import type { CorsOptions } from '@nestjs/common/interfaces/external/cors-options.interface.js';
import type { IncomingHttpHeaders } from 'node:http';

/** The part of {@link AllowedOrigins} that this needs. */
interface Origins {
  allows(origin: string): boolean;
  readonly allowsAnyWithoutCookie?: boolean;
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];
const HEADERS = ['Content-Type', 'Authorization'];
const MAX_AGE_SECONDS = 86_400;

/** CORS of our own endpoints, for `app.enableCors`. A request without an Origin is no business of CORS and passes. */
export function corsOptions(origins: Origins): CorsOptions {
  return {
    origin: (origin: string | undefined, done: (error: Error | null, allow: boolean) => void) => {
      done(null, origin !== undefined && origins.allows(origin));
    },
    credentials: true,
    methods: METHODS,
    allowedHeaders: HEADERS,
    maxAge: MAX_AGE_SECONDS,
  };
}

/** Whether a browser asks for leave before a request (Fetch, "CORS-preflight request"), which carries no cookie. */
export function isPreflight(method: string | undefined, headers: IncomingHttpHeaders): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}

/**
 * The same rule for proxied answers: the headers to add, none for an origin that is not allowed. `Vary: Origin` has to
 * be merged with the answer's own Vary in either case, since it depends on who asks.
 * @param cookieless whether no cookie counts on the path; only there `*` can stand for everybody
 */
export function corsHeaders(
  origin: string | undefined,
  origins: Origins,
  cookieless = false,
): Record<string, string> {
  if (origin === undefined) return {};
  if (!origins.allows(origin)) {
    return cookieless && origins.allowsAnyWithoutCookie === true
      ? { 'access-control-allow-origin': '*' }
      : {};
  }
  return { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' };
}

/** The headers of the answer, 204 without a body, to a preflight ({@link isPreflight}) of a proxied path. */
export function preflightHeaders(
  origin: string | undefined,
  origins: Origins,
  cookieless = false,
): Record<string, string> {
  const allowed = corsHeaders(origin, origins, cookieless);
  if (Object.keys(allowed).length === 0) return allowed;
  return {
    ...allowed,
    'access-control-allow-methods': METHODS.join(','),
    'access-control-allow-headers': HEADERS.join(','),
    'access-control-max-age': String(MAX_AGE_SECONDS),
  };
}
