import { Clock } from '#common';

/** Goes on as time does, from wherever a test puts it: for what runs by itself while days pass. */
export class ShiftedClock extends Clock {
  private shiftMs = 0;

  override now(): Date {
    return new Date(this.nowMs());
  }

  override nowMs(): number {
    return Date.now() + this.shiftMs;
  }

  advanceDays(days: number): void {
    this.shiftMs += days * 24 * 3_600_000;
  }
}
