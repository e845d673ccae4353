import type { Sighting } from './healing.js';

/** So many at once have a common cause, which no restart removes: most likely this gateway does not reach them. */
const COMMON_CAUSE_FROM = 10;

/**
 * The slices that fail their checks together, where it is most of those that run: none of it is their own fault. What
 * failed long ago, or runs elsewhere, says nothing of a cause of just now.
 */
export function failingTogether(sightings: readonly Sighting[]): ReadonlySet<number> {
  const running = sightings.filter(isRunning);
  const failing = running.filter(({ healthy }) => !healthy);
  const isCommon = failing.length >= COMMON_CAUSE_FROM && failing.length * 2 > running.length;
  return new Set(isCommon ? failing.map(({ slice }) => slice.id) : []);
}

function isRunning({ slice, state }: Sighting): boolean {
  if (slice.status !== 'active' || slice.runtime === 'external') return false;
  return state === 'running' || state === null;
}
