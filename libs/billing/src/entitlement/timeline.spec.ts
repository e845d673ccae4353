import { describe, expect, it } from '@jest/globals';
import { nextOf, type TimedState, timelineOf } from './timeline.js';

const DAY = 24 * 3_600_000;
const START = Date.parse('2026-03-01T12:00:00Z');
const RULES = { graceMs: 7 * DAY, retentionMs: 30 * DAY };
const STATE: TimedState = {
  status: 'active',
  statusSince: null,
  pastDueSince: null,
  endedAt: null,
  heldSince: null,
  removalNoticedAt: null,
};

const inDays = (days: number): number => START + days * DAY;
const at = (days: number): Date => new Date(inDays(days));

describe('what time brings', () => {
  it('a payment that is missing: a notice, then the stop', () => {
    const timeline = timelineOf({ ...STATE, status: 'past_due', pastDueSince: at(0) }, RULES);
    expect(timeline).toEqual({
      noticeOfStopAt: inDays(5),
      stopsAt: inDays(7),
      noticeOfRemovalAt: null,
      removedAt: null,
    });
  });

  it('the end: a notice, then the removal', () => {
    const timeline = timelineOf({ ...STATE, status: 'canceled', statusSince: at(0), endedAt: at(0) }, RULES);
    expect(timeline).toMatchObject({ noticeOfRemovalAt: inDays(23), removedAt: inDays(30), stopsAt: null });
  });

  it('an end that is heard of late leaves all of the time', () => {
    const late = { ...STATE, status: 'canceled', statusSince: at(100), endedAt: at(0) } as const;
    expect(timelineOf(late, RULES).removedAt).toBe(inDays(130));
  });

  it('a slice that was in use after the end keeps its data for all of the time since it is not', () => {
    const used = {
      ...STATE,
      status: 'canceled',
      statusSince: at(0),
      endedAt: at(0),
      heldSince: at(60),
    } as const;
    expect(timelineOf(used, RULES)).toMatchObject({ noticeOfRemovalAt: inDays(83), removedAt: inDays(90) });
  });

  it('a notice that comes late puts the removal off', () => {
    const late = { ...STATE, status: 'canceled', endedAt: at(0), removalNoticedAt: at(40) } as const;
    expect(timelineOf(late, RULES).removedAt).toBe(inDays(47));
  });

  it('a short time is halved between notice and step', () => {
    const short = { graceMs: 2 * DAY, retentionMs: 4 * DAY };
    expect(timelineOf({ ...STATE, status: 'past_due', pastDueSince: at(0) }, short).noticeOfStopAt).toBe(
      inDays(1),
    );
    expect(timelineOf({ ...STATE, status: 'canceled', endedAt: at(0) }, short).noticeOfRemovalAt).toBe(
      inDays(2),
    );
  });

  it.each(['none', 'trialing', 'active', 'unpaid', 'incomplete', 'incomplete_expired', 'paused'] as const)(
    '%s brings nothing: no data goes without the end of a subscription',
    (status) => {
      const timeline = timelineOf({ ...STATE, status, statusSince: at(0), endedAt: at(0) }, RULES);
      expect(nextOf(timeline, 0)).toBeNull();
    },
  );

  it('the next step is the first that is still to come', () => {
    const timeline = timelineOf({ ...STATE, status: 'past_due', pastDueSince: at(0) }, RULES);
    expect(nextOf(timeline, inDays(0))).toEqual(at(5));
    expect(nextOf(timeline, inDays(5))).toEqual(at(7));
    expect(nextOf(timeline, inDays(7))).toBeNull();
  });
});
