import { setTimeout as wait } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { BillingError, Complaint } from '#common';
import { AppConfig } from '#config';
import { ControlConnection, Election } from '#database';
import { BillingSync } from '../sync/billing-sync.js';
import { Departures } from './departures.js';
import { DueSteps } from './due-steps.js';
import { Sweep } from './sweep.js';

const LOOK_EVERY_MS = 2000;
/** A Stripe that is down is not asked every two seconds. */
const AFTER_FAILURE_MS = 20_000;

/** What billing does by itself, on one replica at a time: the steps of time, the sweep, and the nightly comparison. */
@Injectable()
export class BillingLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(BillingLoop.name);
  private readonly election: Election;
  private readonly complaint = new Complaint();

  constructor(
    control: ControlConnection,
    private readonly due: DueSteps,
    private readonly sweep: Sweep,
    private readonly departures: Departures,
    private readonly sync: BillingSync,
    private readonly config: AppConfig,
  ) {
    this.election = new Election(control, 'billing-loop');
  }

  onApplicationBootstrap(): void {
    this.warnOfHalfSettings();
    void this.election.run((signal) => this.lead(signal));
  }

  /** A step that is being taken is taken to its end. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.election.stop();
  }

  private async lead(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const pause = await this.pass(signal).catch((error: unknown) => this.complain(error));
      await wait(pause, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** @returns how long to wait before the next one */
  private async pass(signal: AbortSignal): Promise<number> {
    if (this.config.billing.stripe === null) {
      await this.sweep.run(signal);
      return LOOK_EVERY_MS;
    }
    await this.departures.run(signal);
    // Before the sweep, which would find the same as a mistake.
    await this.due.run(signal);
    await this.sweep.run(signal);
    const goesOn = await this.sync.advanceIfDue(signal);
    this.complaint.end();
    return goesOn ? 0 : LOOK_EVERY_MS;
  }

  /** What fails stays so for many passes, and is said once. */
  private complain(error: unknown): number {
    if (this.complaint.isNews(error))
      this.logger.warn({ err: error }, 'billing could not be looked after; it is tried again soon');
    return error instanceof BillingError ? AFTER_FAILURE_MS : LOOK_EVERY_MS;
  }

  private warnOfHalfSettings(): void {
    if (this.config.billing.incomplete)
      this.logger.warn(
        'billing is off, and nobody is blocked: it needs STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET and STRIPE_PRICE_ID, all three',
      );
  }
}
