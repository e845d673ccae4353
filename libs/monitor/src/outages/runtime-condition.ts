import type { Condition } from './condition.js';

/** An engine that is restarted, as for an upgrade, is back before that. */
const TELL_AFTER_MS = 5 * 60_000;

/** Whether the runtime tells which slices run: while it does not, none is restarted that is not well. */
export function runtimeCondition(answers: boolean, settleMs: number): Condition {
  return {
    subject: 'runtime',
    state: answers ? 'well' : 'bad',
    reason: 'it does not say which slices run',
    tellAfterMs: TELL_AFTER_MS,
    settleMs,
    texts: {
      began: (reason, lasts) => ({
        title: 'The runtime of the slices can not be looked at',
        body: `For ${lasts} the runtime could not be looked at: ${reason}, and none is restarted that is not well.`,
        type: 'failure',
      }),
      ended: (lasted) => ({
        title: 'The runtime of the slices answers again',
        body: `The runtime answers again, after ${lasted}. Slices that are not well are restarted.`,
        type: 'success',
      }),
    },
  };
}
