import type { Backends } from '#proxy';
import type { Condition } from './condition.js';
import type { Findings } from './outages.js';

export const BACKEND_PREFIX = 'backend:';

/** How the backends are, by what this gateway's probes have found. */
export function backendConditions(backends: Backends['all']): Pick<Findings, 'conditions' | 'unsure'> {
  const conditions: Condition[] = [];
  const unsure = new Set<string>();
  for (const { url, state } of backends) {
    const subject = BACKEND_PREFIX + url;
    if (state.status === 'unknown') {
      unsure.add(subject);
      continue;
    }
    conditions.push({
      subject,
      state: state.status === 'up' ? 'well' : 'bad',
      ...(state.firstDownAt === null ? {} : { since: new Date(state.firstDownAt) }),
      reason: 'its health check fails',
      texts: {
        began: (reason, lasts) => ({
          title: `Backend ${url} is down`,
          body: `The backend ${url} has been down for ${lasts}: ${reason}.`,
          type: 'failure',
        }),
        ended: (lasted) => ({
          title: `Backend ${url} is up again`,
          body: `The backend ${url} is up again. It was down for ${lasted}.`,
          type: 'success',
        }),
      },
    });
  }
  return { conditions, unsure };
}
