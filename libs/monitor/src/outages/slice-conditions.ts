import type { WatchedSlice } from '#orchestrator';
import type { Condition } from './condition.js';

export const SLICE_PREFIX = 'slice:';

export function sliceSubject(id: number): string {
  return `${SLICE_PREFIX}${id}`;
}

/**
 * How a slice is that is meant to run: by its check, and `failed` by its status.
 * @param settleMs how long it must be well: one that comes and goes has one outage
 */
export function sliceCondition(slice: WatchedSlice, healthy: boolean, settleMs: number): Condition {
  const { id, name, status, lastError, lastHealthyAt } = slice;
  const failed = status === 'failed';
  const what = `Slice ${id} (${name})`;
  const title = !failed
    ? `${what} is down`
    : lastHealthyAt === null
      ? `${what} could not be provisioned`
      : `${what} has failed`;
  return {
    subject: sliceSubject(id),
    state: healthy && !failed ? 'well' : 'bad',
    reason: failed ? (lastError ?? 'it failed') : 'it does not answer its health check',
    // What has failed nobody but the operator puts right.
    urgent: failed,
    settleMs,
    texts: {
      began: (reason, lasts) => ({
        title,
        body: failed ? `${title}: ${reason}` : `${what} has been down for ${lasts}: ${reason}.`,
        type: 'failure',
      }),
      ended: (lasted) => ({
        title: `${what} is up again`,
        body: `${what} is up again. It was down for ${lasted}.`,
        type: 'success',
      }),
    },
  };
}
