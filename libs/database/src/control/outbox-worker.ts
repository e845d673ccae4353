import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';
import { Complaint } from '#common';
import type { ControlConnection } from './control-connection.js';
import { Election } from './election.js';

/** A NOTIFY can be lost, and what failed becomes due by time alone. */
const LOOK_EVERY_MS = 2000;

export interface OutboxWorkerOptions {
  /** What the replicas elect a sender of. */
  readonly name: string;
  /** Notified when something was put into the outbox. */
  readonly channel: string;
  readonly logger: Logger;
  /**
   * Sends the next one that is due.
   * @returns false when there was none
   */
  readonly sendNext: () => Promise<boolean>;
}

/**
 * Sends what is in an outbox, one after the other, on one replica at a time: at once where it is notified, and every
 * two seconds.
 */
export class OutboxWorker {
  readonly #control: ControlConnection;
  readonly #options: OutboxWorkerOptions;
  readonly #election: Election;
  readonly #complaint = new Complaint();
  #wake = new AbortController();

  constructor(control: ControlConnection, options: OutboxWorkerOptions) {
    this.#control = control;
    this.#options = options;
    this.#election = new Election(control, options.name);
  }

  async start(): Promise<void> {
    await this.#control.listen(this.#options.channel, () => this.#wake.abort());
    void this.#election.run((signal) => this.#lead(signal));
  }

  /** What is just being sent is sent to its end: it would go out a second time. */
  async stop(): Promise<void> {
    await this.#election.stop();
  }

  async #lead(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController();
      await this.#sendDue(signal).catch((error: unknown) => this.#complain(error));
      const pause = AbortSignal.any([signal, this.#wake.signal]);
      await wait(LOOK_EVERY_MS, undefined, { signal: pause, ref: false }).catch(() => undefined);
    }
  }

  async #sendDue(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const sent = await this.#options.sendNext();
      this.#complaint.end();
      if (!sent) return;
    }
  }

  /** A database that is away stays so for many looks. */
  #complain(error: unknown): void {
    if (this.#complaint.isNews(error))
      this.#options.logger.warn(
        { err: error },
        'the outbox could not be looked at; it is tried every few seconds',
      );
  }
}
