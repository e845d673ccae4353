import { randomUUID } from 'node:crypto';
import { type Client } from 'pg';
import type { StandInEvent, StandInSubscription, StripeApi } from './stripe/stripe-api.js';

/** Numbers that look random and are the same for the same seed. */
export class Chance {
  constructor(private state: number) {}

  /** From 0 to 1 (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  oneOf<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }
}

/** A user here and the customer at Stripe. */
export interface Pair {
  readonly userId: string;
  readonly email: string;
  readonly customerId: string;
}

export function makePairs(stripe: StripeApi, count: number): Pair[] {
  return Array.from({ length: count }, () => {
    const userId = randomUUID();
    return { userId, email: `${userId}@example.com`, customerId: stripe.addCustomer(userId).id };
  });
}

/** Users with a running slice each, and their customers, as sign-up and checkout leave them. */
export async function insertPairs(client: Client, pairs: readonly Pair[], runtime: string): Promise<void> {
  for (const { userId, email, customerId } of pairs) {
    await client.query('INSERT INTO "user" (id, email) VALUES ($1, $2)', [userId, email]);
    await client.query(
      `INSERT INTO slice (name, owner_id, runtime, memory_bytes, cpus, spec_hash, status, host, port)
       VALUES ($1::uuid::text, $1::uuid, $2, 1, 1, '', 'active', '127.0.0.1', 1)`,
      [userId, runtime],
    );
    await client.query('INSERT INTO billing_account (user_id, customer_id) VALUES ($1, $2)', [
      userId,
      customerId,
    ]);
  }
}

/** Something happens to a customer at Stripe, as far as it can happen to them now. */
export function moveOf(stripe: StripeApi, customerId: string, chance: Chance): void {
  const own = [...stripe.subscriptions.values()].filter(({ customer }) => customer === customerId);
  const live = own.find(({ status }) => status !== 'canceled');
  const gone = stripe.customers.get(customerId)?.deleted === true;
  if (gone) stripe.emit('customer.updated', { id: customerId, object: 'customer' });
  else if (live === undefined) stripe.subscribe(customerId);
  else chance.oneOf(MOVES)(stripe, live);
}

type Move = (stripe: StripeApi, live: StandInSubscription) => void;

const toStatus =
  (status: string): Move =>
  (stripe, live) =>
    stripe.change(live, { status });

const MOVES: readonly Move[] = [
  (stripe, live) => stripe.failPayment(live),
  (stripe, live) => stripe.failPayment(live),
  (stripe, live) => stripe.pay(live),
  (stripe, live) => stripe.pay(live),
  (stripe, live) => stripe.pay(live),
  toStatus('unpaid'),
  toStatus('paused'),
  (stripe, live) => stripe.change(live, { cancelAtPeriodEnd: !live.cancelAtPeriodEnd }),
  (stripe, live) => stripe.cancel(live),
  (stripe, live) =>
    void stripe.emit('payment_intent.succeeded', { id: `pi_of_${live.id}`, customer: live.customer }),
  (stripe, live) => {
    if (live.created % 7 === 0) stripe.deleteCustomer(live.customer);
    else stripe.pay(live);
  },
];

/** What is still to be delivered, each so many times, in no order. */
export class Deliveries {
  private readonly left: StandInEvent[] = [];
  private closed = false;
  private waiting: (() => void)[] = [];
  made = 0;

  constructor(private readonly chance: Chance) {}

  add(event: StandInEvent, times: number): void {
    for (let i = 0; i < times; i += 1) this.left.push(event);
    this.wake();
  }

  /** Nothing new comes any more. */
  close(): void {
    this.closed = true;
    this.wake();
  }

  /** Any of them; undefined when all are delivered. */
  async take(): Promise<StandInEvent | undefined> {
    while (this.left.length === 0 && !this.closed)
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    const at = this.chance.below(this.left.length);
    const last = this.left.pop();
    if (last === undefined || at === this.left.length) return last;
    const taken = this.left[at];
    this.left[at] = last;
    return taken;
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
