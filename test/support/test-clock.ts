import { Clock } from '#common';

/** Stands still until it is moved. */
export class TestClock extends Clock {
  constructor(private time = Date.parse('2026-01-01T00:00:00Z')) {
    super();
  }

  override now(): Date {
    return new Date(this.time);
  }

  override nowMs(): number {
    return this.time;
  }

  /** Moves it forward. */
  advance(ms: number): void {
    this.time += ms;
  }
}
