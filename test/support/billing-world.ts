import type { TestingModuleBuilder } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { Clock } from '#common';
import { assign, customerWith, type AssignedSlice, type Customer } from './assigned-slices.js';
import type { Browser } from './clients.js';
import { eventually } from './eventually.js';
import { Gateway, type GatewayOptions } from './gateway.js';
import { ShiftedClock } from './shifted-clock.js';
import { type StandInEvent, StripeApi } from './stripe/stripe-api.js';

/** What stands in the trail of a customer. */
export interface Step {
  readonly step: string;
  readonly cause: string;
  readonly detail: Record<string, unknown>;
}

/** A gateway with billing, the stand-in of Stripe that it talks to, and the clock that both go by. */
export class BillingWorld implements AsyncDisposable {
  private delivered = 0;

  private constructor(
    readonly stripe: StripeApi,
    readonly gateway: Gateway,
    readonly clock: ShiftedClock,
  ) {}

  static async start(options: GatewayOptions = {}): Promise<BillingWorld> {
    const clock = new ShiftedClock();
    const stripe = await StripeApi.start(() => clock.nowMs());
    const gateway = await Gateway.start({
      ...options,
      env: { ...stripe.env, ...options.env },
      override: (builder: TestingModuleBuilder) =>
        (options.override?.(builder) ?? builder).overrideProvider(Clock).useValue(clock),
    });
    const world = new BillingWorld(stripe, gateway, clock);
    // The first comparison with Stripe would come between a test and what it does.
    await eventually(async () => {
      const done = await world.query('SELECT FROM billing_sync WHERE finished_at IS NOT NULL');
      if (done.length === 0) throw new Error('the first comparison has not ended');
    });
    return world;
  }

  /** A new customer, signed in, with a slice that is a row. */
  customer(slice: AssignedSlice | null = { port: 1 }): Promise<Customer> {
    return customerWith(this.gateway, slice);
  }

  assign(userId: string, slice: AssignedSlice): Promise<void> {
    return assign(this.gateway, userId, slice);
  }

  /** A customer who has paid, and whom the gateway knows as one. */
  async subscriber(slice: AssignedSlice | null = { port: 1 }) {
    const customer = await this.customer(slice);
    const subscription = await this.subscribe(customer.browser);
    return { ...customer, subscription };
  }

  /** Through the checkout to the subscription. */
  async subscribe(browser: Browser) {
    const { body } = await browser.post('/billing/create-checkout');
    const subscription = this.stripe.completeCheckout(body.url);
    await this.deliverAll();
    return subscription;
  }

  /** Delivers what has happened at Stripe since the last time. */
  async deliverAll(): Promise<number[]> {
    const statuses = [];
    for (; this.delivered < this.stripe.events.length; this.delivered += 1)
      statuses.push(await this.deliver(this.stripe.events[this.delivered] as StandInEvent));
    return statuses;
  }

  /** What has happened since the last time is never told. */
  loseAll(): void {
    this.delivered = this.stripe.events.length;
  }

  deliver(event: StandInEvent): Promise<number> {
    return this.stripe.deliver(this.gateway.url, event);
  }

  query<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return this.gateway.get(DataSource).query(sql, values);
  }

  /** What billing did about a customer, in order. */
  async trail(userId: string): Promise<string[]> {
    return (await this.steps(userId)).map(({ step }) => step);
  }

  steps(userId: string): Promise<Step[]> {
    return this.query('SELECT step, cause, detail FROM billing_step WHERE user_id = $1 ORDER BY id', [
      userId,
    ]);
  }

  /** Waits until nothing is left to be sent: whoever was not written to by then is not written to. */
  allMailsAreSent(): Promise<void> {
    return eventually(async () => {
      const waiting = await this.query('SELECT FROM outgoing_mail');
      if (waiting.length > 0) throw new Error(`${waiting.length} mails are still to be sent`);
    });
  }

  async sliceOf(userId: string) {
    const [slice] = await this.query<{ desired: string; stoppedBy: string | null; generation: number }>(
      `SELECT desired_state AS desired, stopped_by AS "stoppedBy", generation FROM slice
        WHERE owner_id = $1 ORDER BY id DESC LIMIT 1`,
      [userId],
    );
    return slice;
  }

  /** Waits until a request of the customer's is answered so. */
  async answers(browser: Browser, status: number, path = '/api/x', timeoutMs = 10_000): Promise<void> {
    await eventually(async () => {
      const answer = await browser.get(path);
      if (answer.status !== status) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
    }, timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]();
    await this.stripe[Symbol.asyncDispose]();
  }
}
