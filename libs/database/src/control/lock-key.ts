import { createHash } from 'node:crypto';

/**
 * The number of an advisory lock, as pg takes a bigint. PostgreSQL itself keeps the locks of each database apart, so
 * installations that share a server never meet. Sixty-four bits of SHA-256: two keys that fall together, which is not
 * to be expected, would wait for each other and do no harm.
 */
export function lockKey(name: string): string {
  return createHash('sha256').update(`sluice:${name}`).digest().readBigInt64BE().toString();
}
