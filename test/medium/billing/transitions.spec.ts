import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SUBSCRIPTION_STATUSES } from '#database';
import { SubscriptionUpdates } from '../../../libs/billing/src/accounts/subscription-updates.js';
import { assignedSlices } from '../../support/assigned-slices.js';
import { insertPairs, makePairs, type Pair } from '../../support/billing-storm.js';
import { BillingWorld } from '../../support/billing-world.js';
import { MailServer } from '../../support/mail-server.js';
import { withClient } from '../../support/postgres.js';
import type { StandInSubscription } from '../../support/stripe/stripe-api.js';

/* What follows when a subscription that was one way is another way: each pair, written down by hand. */

interface Outcome {
  readonly slice: 'running' | 'stopped';
  readonly mails: readonly string[];
  readonly audit: readonly string[];
}

const FAILED = 'Your payment did not go through';
const STOPPED = 'Your app was stopped';
const BACK = 'Your app is running again';

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  // Nothing is to be done.
  '=run': { slice: 'running', mails: [], audit: [] },
  '=stop': { slice: 'stopped', mails: [], audit: [] },
  // It is noted, and the slice goes on as it was.
  run: { slice: 'running', mails: [], audit: ['status_changed'] },
  stay: { slice: 'stopped', mails: [], audit: ['status_changed'] },
  fail: { slice: 'running', mails: [FAILED], audit: ['status_changed', 'payment_failed'] },
  // The slice stops, or starts; whoever has never paid is not told.
  stop: { slice: 'stopped', mails: [STOPPED], audit: ['status_changed', 'slice_stopped'] },
  'stop*': { slice: 'stopped', mails: [], audit: ['status_changed', 'slice_stopped'] },
  start: { slice: 'running', mails: [BACK], audit: ['status_changed', 'slice_started'] },
  'start*': { slice: 'running', mails: [], audit: ['status_changed', 'slice_started'] },
  // Within its days of grace it is worth a slice again.
  grace: {
    slice: 'running',
    mails: [FAILED, BACK],
    audit: ['status_changed', 'slice_started', 'payment_failed'],
  },
  'grace*': {
    slice: 'running',
    mails: [FAILED],
    audit: ['status_changed', 'slice_started', 'payment_failed'],
  },
};

/** After one that has ended comes another one. One that has not begun is worth less than one that has ended. */
const TABLE = `
  from \\ to          trialing  active  past_due  unpaid  paused  canceled  incomplete  incomplete_expired
  none                run       run     fail      stop    stop    stop      stop*       stop*
  trialing            =run      run     fail      stop    stop    stop      stop        stop
  active              run       =run    fail      stop    stop    stop      stop        stop
  past_due            run       run     =run      stop    stop    stop      stop        stop
  unpaid              start     start   grace     =stop   stay    stay      stay        stay
  paused              start     start   grace     stay    =stop   stay      stay        stay
  canceled            start     start   grace     stay    stay    =stop     =stop       =stop
  incomplete          start*    start*  grace*    stay    stay    stay      =stop       stay
  incomplete_expired  start*    start*  grace*    stay    stay    stay      stay        =stop
`;

const [header = [], ...rows] = TABLE.trim()
  .split('\n')
  .map((line) => line.trim().split(/ {2,}/));
const TRANSITIONS = rows.flatMap(([from = '', ...cells]) =>
  cells.map((cell, i) => ({ from, to: header[i + 1] ?? '', cell })),
);

const ENDED = new Set(['canceled', 'incomplete_expired']);

let mails: MailServer;
let world: BillingWorld;
let updates: SubscriptionUpdates;

beforeAll(async () => {
  mails = await MailServer.start();
  world = await BillingWorld.start(assignedSlices({ SMTP_URL: mails.url }));
  updates = world.gateway.get(SubscriptionUpdates);
}, 30_000);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await mails[Symbol.asyncDispose]();
});

async function newcomer(): Promise<Pair> {
  const [pair] = makePairs(world.stripe, 1) as [Pair];
  await withClient(world.gateway.database.connection, (client) => insertPairs(client, [pair], 'process'));
  return pair;
}

/** Makes a subscription of that status of the one there is, or another one where that is none or has ended. */
function become(
  status: string,
  { customerId }: Pair,
  subscription: StandInSubscription | null,
): StandInSubscription | null {
  if (status === 'none') return null;
  const { stripe } = world;
  const goesOn = subscription !== null && !ENDED.has(subscription.status);
  const one = goesOn ? subscription : stripe.subscribe(customerId, { status: 'incomplete' });
  if (status === 'canceled') stripe.cancel(one);
  else if (status === 'past_due' && one.status !== 'past_due') stripe.failPayment(one);
  else if (status === 'active') stripe.pay(one);
  else stripe.change(one, { status });
  return one;
}

/** The subjects to an address, in no order. */
async function subjects(email: string): Promise<string[]> {
  await world.allMailsAreSent();
  return mails.received
    .filter(({ to }) => to.includes(email))
    .map(({ headers }) => headers.get('subject') ?? '')
    .toSorted();
}

it('each pair of statuses has its place in the table', () => {
  const pairs = SUBSCRIPTION_STATUSES.flatMap((from) =>
    SUBSCRIPTION_STATUSES.filter((to) => to !== 'none').map((to) => `${from} ${to}`),
  );
  expect(TRANSITIONS.map(({ from, to }) => `${from} ${to}`).toSorted()).toEqual(pairs.toSorted());
});

describe('a subscription that was', () => {
  it.each(TRANSITIONS)('$from and is $to: $cell', async ({ from, to, cell }) => {
    const pair = await newcomer();
    const { userId, email } = pair;
    const before = become(from, pair, null);
    await updates.refresh(userId, { cause: 'before' });
    const known = await subjects(email);

    become(to, pair, before);
    // The second time nothing is new.
    for (const cause of ['after', 'again']) await updates.refresh(userId, { cause });

    const { slice, mails: expected, audit } = OUTCOMES[cell] as Outcome;
    expect(await world.sliceOf(userId)).toMatchObject({
      desired: slice,
      stoppedBy: slice === 'stopped' ? 'billing' : null,
    });
    expect(await subjects(email)).toEqual([...known, ...expected].toSorted());
    const noted = await world.query<{ action: string }>(
      `SELECT action FROM audit_entry WHERE target_id = $1 AND after->>'cause' IN ('after', 'again') ORDER BY id`,
      [userId],
    );
    expect(noted.map(({ action }) => action)).toEqual(audit.map((step) => `billing.${step}`));
  });
});
