import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { ControlConnection } from '#database';
import { RuntimeUnavailableError } from '../runtimes/errors.js';
import { SliceRuntime } from '../runtimes/slice-runtime.js';

/** What a request may wait for the runtime: most likely the slice is within reach already. */
const PATIENCE_MS = 2000;

interface Reach {
  generation: number;
  /** Settles when the slice is within reach, or when patience ends; never rejects. */
  attempt: Promise<void>;
}

/**
 * Sees to it that this gateway reaches the slices it is asked for: a network per slice is joined by each gateway for
 * itself, and anew by one whose container was replaced. Once for each generation of a slice, however many ask.
 */
@Injectable()
export class SliceReach implements OnModuleInit {
  private readonly logger = new Logger(SliceReach.name);
  private readonly reached = new Map<number, Reach>();

  constructor(
    @Inject(SliceRuntime) private readonly runtime: Pick<SliceRuntime, 'reach'>,
    @Inject(ControlConnection) private readonly control: Pick<ControlConnection, 'listen' | 'onRestored'>,
  ) {}

  async onModuleInit(): Promise<void> {
    this.control.onRestored(() => this.reached.clear());
    await this.control.listen('slice_changed', (payload) => {
      this.reached.delete(Number(payload.split(':', 1)[0]));
    });
  }

  /**
   * Resolves after two seconds at the latest, also when the runtime does not answer: the slice may serve all the same.
   * What failed is tried again when it is next asked for; what hangs goes on, and nobody waits for it again.
   */
  ensure(sliceId: number, generation: number): Promise<void> {
    const known = this.reached.get(sliceId);
    if (known?.generation === generation) return known.attempt;
    const reach: Reach = { generation, attempt: Promise.resolve() };
    this.reached.set(sliceId, reach);
    const work = this.runtime.reach(sliceId).catch((error: unknown) => {
      if (this.reached.get(sliceId) === reach) this.reached.delete(sliceId);
      if (!(error instanceof RuntimeUnavailableError)) throw error;
      this.logger.warn({ sliceId, err: error }, `slice ${sliceId} may be out of this gateway's reach`);
    });
    reach.attempt = withPatience(work);
    return reach.attempt;
  }
}

async function withPatience(work: Promise<void>): Promise<void> {
  const timer = new AbortController();
  const patience = wait(PATIENCE_MS, undefined, { signal: timer.signal, ref: false }).catch(() => undefined);
  try {
    await Promise.race([work, patience]);
  } finally {
    timer.abort();
  }
}
