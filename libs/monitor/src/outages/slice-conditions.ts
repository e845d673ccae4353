import type { WatchedSlice } from '#orchestrator';
import type { Condition } from './condition.js';

export const SLICE_PREFIX = 'slice:';

export function sliceSubject(id: number): string {
  return `${SLICE_PREFIX}${id}`;
}

/**
 * How a slice is that is meant to run; nothing where that is not known just now.
 * @param healthy by its check; null: it was not due for one
 * @param settleMs how long it must be well: one that comes and goes has one outage
 */
export function sliceConditions(slice: WatchedSlice, healthy: boolean | null, settleMs: number): Condition[] {
  if (healthy !== null) return [checked(slice, healthy, settleMs)];
  return isStuck(slice) ? [stuck(slice, settleMs)] : [];
}

/** By its check, and `failed` by its status. */
function checked(slice: WatchedSlice, healthy: boolean, settleMs: number): Condition {
  const { status, lastError, lastHealthyAt } = slice;
  const failed = status === 'failed';
  const what = nameOf(slice);
  const title = !failed
    ? `${what} is down`
    : lastHealthyAt === null
      ? `${what} could not be provisioned`
      : `${what} has failed`;
  return {
    ...common(slice, settleMs),
    state: healthy && !failed ? 'well' : 'bad',
    reason: failed ? (lastError ?? 'it failed') : 'it does not answer its health check',
    // What has failed nobody but the operator puts right.
    ...(failed ? { tellAfterMs: 0 } : {}),
    texts: {
      began: (reason, lasts) => ({
        title,
        body: failed ? `${title}: ${reason}` : `${what} has been down for ${lasts}: ${reason}.`,
        type: 'failure',
      }),
      ended: ended(slice),
    },
  };
}

/** The attempt to bring it up met with what may go by itself, and is made again and again. */
function isStuck({ desiredState, lastErrorCode }: WatchedSlice): boolean {
  return desiredState === 'running' && lastErrorCode !== null;
}

function stuck(slice: WatchedSlice, settleMs: number): Condition {
  const what = nameOf(slice);
  return {
    ...common(slice, settleMs),
    state: 'bad',
    reason: slice.lastError ?? 'it is not known why',
    texts: {
      began: (reason, lasts) => ({
        title: `${what} does not come up`,
        body: `${what} has not come up for ${lasts}: ${reason}`,
        type: 'failure',
      }),
      ended: ended(slice),
    },
  };
}

const common = ({ id }: WatchedSlice, settleMs: number) => ({ subject: sliceSubject(id), settleMs });

const nameOf = ({ id, name }: WatchedSlice): string => `Slice ${id} (${name})`;

function ended(slice: WatchedSlice): Condition['texts']['ended'] {
  return (lasted) => ({
    title: `${nameOf(slice)} is up again`,
    body: `${nameOf(slice)} is up again. It was down for ${lasted}.`,
    type: 'success',
  });
}
