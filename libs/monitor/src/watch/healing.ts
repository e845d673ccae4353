import type { InstanceState, SliceWatch } from '#database';
import type { WatchedSlice } from '#orchestrator';

/** Contract §8. */
const FAILURES_TO_RESTART = 3;
const MOST_RESTARTS = 5;

/** So many good checks in a row, and the restarts before are forgotten: they have helped. */
const SUCCESSES_TO_FORGET = 10;

/** After the n-th restart the next one has to wait for so long times 2^(n - 1), however ill the slice is. */
const BACK_OFF_MS = 2 * 60_000;

export const GIVEN_UP = `It does not answer its health check, and ${MOST_RESTARTS} restarts did not help. It is checked on.`;

/** What a pass has seen of a slice that was due for a check. */
export interface Sighting {
  readonly slice: WatchedSlice;
  readonly healthy: boolean;
  /** Null: the runtime does not tell. */
  readonly state: InstanceState | null;
}

/** What is remembered of a slice. */
export type Memory = Pick<SliceWatch, keyof SliceWatch>;

/** What is to be done about a slice, and what is to be remembered of it; null: nothing. */
export interface Treatment {
  readonly step: 'none' | 'restart' | 'give up' | 'recovered';
  readonly watch: Memory | null;
}

/**
 * Decides about one slice after a check. What can't start the reconciler tries again by itself, so only slices whose
 * app runs and is not well are restarted from here.
 */
export function treat(known: Memory | null, sighting: Sighting, now: Date): Treatment {
  const { slice } = sighting;
  if (!sighting.healthy && !isOurs(sighting)) return { step: 'none', watch: known };
  const watch: Memory = known?.generation === slice.generation ? { ...known } : freshWatch(slice);
  if (sighting.healthy) return afterSuccess(known === null ? null : watch, slice);
  watch.failures += 1;
  watch.successes = 0;
  return { watch, step: stepFor(watch, sighting, now) };
}

/** What is remembered when a restart was ordered: the failures before count no more, the restart does. */
export function restarted(watch: Memory, generation: number, now: Date): Memory {
  const restarts = watch.restarts + 1;
  const restartNotBefore = new Date(now.getTime() + BACK_OFF_MS * 2 ** (restarts - 1));
  return { ...watch, generation, failures: 0, restarts, restartNotBefore };
}

function afterSuccess(watch: Memory | null, { lastErrorCode }: WatchedSlice): Treatment {
  const step = lastErrorCode === 'SLICE_UNHEALTHY' ? 'recovered' : 'none';
  if (watch === null) return { step, watch };
  watch.successes += 1;
  watch.failures = 0;
  return { step, watch: watch.successes >= SUCCESSES_TO_FORGET ? null : watch };
}

/** Of what has crashed, or never came up, the checks say nothing: the reconciler is at it. */
function isOurs({ slice, state }: Sighting): boolean {
  const isUp = slice.status === 'active' || slice.lastErrorCode === 'SLICE_UNHEALTHY';
  return isUp && (state === 'running' || state === null);
}

function stepFor(watch: Memory, { slice, state }: Sighting, now: Date): Treatment['step'] {
  // Without its runtime it could not be started again.
  if (slice.status !== 'active' || state === null) return 'none';
  if (watch.failures < FAILURES_TO_RESTART) return 'none';
  if (watch.restarts >= MOST_RESTARTS) return 'give up';
  return watch.restartNotBefore !== null && watch.restartNotBefore > now ? 'none' : 'restart';
}

function freshWatch({ id, generation }: WatchedSlice): Memory {
  return { sliceId: id, generation, failures: 0, successes: 0, restarts: 0, restartNotBefore: null };
}
