import type { Slice, SliceStatus } from '#database';
import type { Observation } from '../slices/slice-repository.js';

/** The slice has become what was desired of it, and nothing is wrong any more. */
export function observedOf({ generation }: Slice, status: SliceStatus): Observation {
  return { status, lastError: null, lastErrorCode: null, observedGeneration: generation };
}

/** What a tombstone no longer has. */
export const TOMBSTONE = {
  host: null,
  port: null,
  envSealed: null,
  databasePasswordSealed: null,
} as const satisfies Observation;
