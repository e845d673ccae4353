/**
 * The only source of time in the product. Injected everywhere, so that tests move it by hand.
 */
export abstract class Clock {
  /** The current time. */
  abstract now(): Date;

  /** Milliseconds since the epoch. */
  abstract nowMs(): number;
}

export class SystemClock extends Clock {
  override now(): Date {
    return new Date();
  }

  override nowMs(): number {
    return Date.now();
  }
}
