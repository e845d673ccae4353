import { Injectable } from '@nestjs/common';
import { Clock, Metrics } from '#common';
import type { Slice, SliceEventOutcome } from '#database';
import { SliceEvents } from '../events/slice-events.js';

/** What a pass does, one after the other. */
export type ReconcileStep = 'database' | 'start' | 'health' | 'stop' | 'remove_data' | 'drop_database';

/** What a slice has become by a pass. */
export type ReconcileEnd = 'active' | 'stopped' | 'destroyed';

/** Tells of the steps of each pass, and how long they take. Nothing of a pass depends on it. */
@Injectable()
export class SliceSteps {
  constructor(
    private readonly events: SliceEvents,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
  ) {}

  /** Takes a step, and tells of its beginning and its end. */
  async run<T>(slice: Slice, step: ReconcileStep, work: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    const end = (outcome: 'done' | 'failed'): void => {
      const ms = performance.now() - begun;
      this.metrics.reconcileSteps.observe({ step, outcome }, ms / 1000);
      this.tell(slice, step, outcome, ms);
    };
    this.tell(slice, step, 'begun');
    try {
      const result = await work();
      end('done');
      return result;
    } catch (error) {
      // Why, says the end of the pass, in words for the operator.
      end('failed');
      throw error;
    }
  }

  became(slice: Slice, end: ReconcileEnd): void {
    this.tell(slice, end, 'done');
  }

  /** @param message for the operator */
  failed(slice: Slice, message: string): void {
    this.tell(slice, 'pass', 'failed', null, message);
  }

  private tell(
    { id: sliceId, generation }: Slice,
    step: string,
    outcome: SliceEventOutcome,
    ms: number | null = null,
    message: string | null = null,
  ): void {
    const durationMs = ms === null ? null : Math.round(ms);
    this.events.add({ sliceId, generation, step, outcome, at: this.clock.now(), durationMs, message });
  }
}
