import type { SecureContextOptions } from 'node:tls';

/** What holds for every connection of a client. */
export interface ConnectionOptions {
  /** For TCP and TLS together, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** How long a connection is kept without a request where the upstream does not say, in milliseconds. */
  readonly keepAliveMs: number;
  /** Whom to trust; by default the authorities that Node trusts. */
  readonly tls: Pick<SecureContextOptions, 'ca'>;
}

export const DEFAULT_CONNECTION_OPTIONS: ConnectionOptions = {
  connectTimeoutMs: 10_000,
  // Shorter than the 5 s after which servers of Node, the most likely ones, close an idle connection.
  keepAliveMs: 4_000,
  tls: {},
};

/** So much less than what the upstream says: a request may be on its way when it closes. */
const KEEP_ALIVE_MARGIN_MS = 1_000;
const LONGEST_KEEP_ALIVE_MS = 600_000;

/** @param seconds what the upstream says; NaN where it does not. @returns milliseconds; none where they are not positive */
export function keepAliveOf(seconds: number, defaultMs: number): number {
  if (Number.isNaN(seconds)) return defaultMs;
  return Math.min(LONGEST_KEEP_ALIVE_MS, seconds * 1000) - KEEP_ALIVE_MARGIN_MS;
}
