import { describe, expect, it } from '@jest/globals';
import type { ServerReading } from '../telemetry/readings.js';
import { inWords } from './condition.js';
import { serverConditions } from './server-conditions.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

describe('a duration', () => {
  it.each([
    [0, '0 s'],
    [-5, '0 s'],
    [40 * SECOND, '40 s'],
    [MINUTE, '1 min'],
    [6 * HOUR, '6 h'],
    [6 * HOUR + 5 * MINUTE + 9 * SECOND, '6 h 5 min'],
    [24 * HOUR, '1 d'],
    [26 * HOUR + MINUTE, '1 d 2 h'],
  ])('of %i ms is %s', (ms, words) => {
    expect(inWords(ms)).toBe(words);
  });
});

const reading = (disk: number | null, connections: number | null): ServerReading => ({
  at: new Date(),
  cpuPercent: null,
  load: 0,
  memoryUsedBytes: 1,
  memoryTotalBytes: 2,
  diskUsedBytes: disk,
  diskTotalBytes: disk === null ? null : 100,
  connections,
  maxConnections: connections === null ? null : 100,
});

const states = (disk: number | null, connections: number | null) =>
  serverConditions(reading(disk, connections), { name: 'a', place: '/data' }).map(({ subject, state }) => [
    subject.split(':')[0],
    state,
  ]);

describe('the server', () => {
  it.each([
    [91, [['disk', 'bad']]],
    [90, []],
    [85, []],
    [84, [['disk', 'well']]],
    [null, []],
  ])('with %s %% of its disk used', (percent, expected) => {
    expect(states(percent, null)).toEqual(expected);
  });

  it.each([
    [81, [['connections', 'bad']]],
    [80, []],
    [70, []],
    [69, [['connections', 'well']]],
  ])('with %s %% of its connections used', (percent, expected) => {
    expect(states(null, percent)).toEqual(expected);
  });
});
