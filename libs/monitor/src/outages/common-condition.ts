import type { Condition } from './condition.js';

/**
 * Whether most slices fail their checks at once. That is one outage, not one of each: an operator who is told of a
 * thousand slices sees the cause last.
 * @param failing how many do; 0: it is not most of them
 */
export function commonCondition(failing: number, settleMs: number): Condition {
  return {
    subject: 'slices',
    state: failing === 0 ? 'well' : 'bad',
    reason: 'they do not answer their health checks, and none is restarted for it',
    settleMs,
    texts: {
      began: (reason, lasts) => ({
        title: 'Most slices are down',
        body: `Most slices (${failing}) have been down for ${lasts}: ${reason}.`,
        type: 'failure',
      }),
      ended: (lasted) => ({
        title: 'Most slices are up again',
        body: `Most slices are up again. They were down for ${lasted}.`,
        type: 'success',
      }),
    },
  };
}
