import type { SessionConfig } from '#config';
import type { SessionKind } from '#database';

/** How long a session of this kind lives without use, in milliseconds. */
export function sessionTermMs({ ttlMs, oidcTtlMs }: SessionConfig, kind: SessionKind): number {
  return kind === 'oidc' ? oidcTtlMs : ttlMs;
}
