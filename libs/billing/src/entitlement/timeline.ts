import type { BillingAccount } from '#database';

const DAY_MS = 24 * 3_600_000;
const STOP_NOTICE_MS = 2 * DAY_MS;
const REMOVAL_NOTICE_MS = 7 * DAY_MS;

export type TimedState = Pick<
  BillingAccount,
  'status' | 'statusSince' | 'pastDueSince' | 'endedAt' | 'heldSince' | 'removalNoticedAt'
>;

export interface TimelineRules {
  readonly graceMs: number;
  readonly retentionMs: number;
}

/** What time alone will bring about, in milliseconds since the epoch; null: nothing of the kind. */
export interface Timeline {
  readonly noticeOfStopAt: number | null;
  readonly stopsAt: number | null;
  readonly noticeOfRemovalAt: number | null;
  readonly removedAt: number | null;
}

const NOTHING: Timeline = { noticeOfStopAt: null, stopsAt: null, noticeOfRemovalAt: null, removedAt: null };

/** When a slice will be stopped and its data removed, and when its owner is to be told before. */
export function timelineOf(state: TimedState, { graceMs, retentionMs }: TimelineRules): Timeline {
  if (state.status === 'past_due' && state.pastDueSince !== null) {
    const stopsAt = state.pastDueSince.getTime() + graceMs;
    return { ...NOTHING, stopsAt, noticeOfStopAt: stopsAt - Math.min(STOP_NOTICE_MS, graceMs / 2) };
  }
  const retainedFrom = endOf(state);
  if (retainedFrom === null) return NOTHING;
  const due = retainedFrom + retentionMs;
  const leadMs = Math.min(REMOVAL_NOTICE_MS, retentionMs / 2);
  // A notice that comes late, after an outage, puts the removal off: its reader has all of that time.
  const noticedAt = state.removalNoticedAt?.getTime() ?? 0;
  return { ...NOTHING, removedAt: Math.max(due, noticedAt + leadMs), noticeOfRemovalAt: due - leadMs };
}

/** The same, of somebody who has no data here. */
export function withoutRemoval(timeline: Timeline): Timeline {
  return { ...timeline, noticeOfRemovalAt: null, removedAt: null };
}

/**
 * From when on the data is kept for its time. Not before the end was first heard of: who learns of it late, after an
 * outage or a change of the price, still has all of that time. Nor while the slice was in use all the same, as it is
 * where billing was off.
 */
function endOf({ status, statusSince, endedAt, heldSince }: TimedState): number | null {
  if (status !== 'canceled') return null;
  const times = [statusSince, endedAt, heldSince]
    .filter((time) => time !== null)
    .map((time) => time.getTime());
  return times.length === 0 ? null : Math.max(...times);
}

/** The next time at which something is to be done; null when nothing is. */
export function nextOf(timeline: Timeline, nowMs: number): Date | null {
  const ahead = Object.values(timeline).filter((time): time is number => time !== null && time > nowMs);
  return ahead.length === 0 ? null : new Date(Math.min(...ahead));
}
