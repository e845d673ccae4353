import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  Chance,
  Deliveries,
  insertPairs,
  makePairs,
  moveOf,
  type Pair,
} from '../../support/billing-storm.js';
import { eventually } from '../../support/eventually.js';
import { Gateway, testEnvironment } from '../../support/gateway.js';
import { GatewayProgram } from '../../support/gateway-program.js';
import { MailServer } from '../../support/mail-server.js';
import { startPostgres, type TestPostgres, withClient } from '../../support/postgres.js';
import { soak } from '../../support/soak.js';
import { StripeApi } from '../../support/stripe/stripe-api.js';

const EVENTS = soak(2000, 100);
const CUSTOMERS = soak(200, 24);
const TIMES_EACH = 5;
const CONNECTIONS = 20;
/** Who deliver in order, each for customers of their own. */
const TELLERS = 8;
const KILLS = soak(5, 1);

/** Whatever it was before: each run is another one, and tells which. */
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

/** Slices are rows: what is desired of them nobody can bring about. */
const ENGINE_AWAY = {
  SLICE_RUNTIME: 'docker',
  SLICE_IMAGE: 'none',
  DOCKER_HOST: 'unix:///nonexistent/docker.sock',
  SLICE_AUTO_PROVISION: 'false',
};

/** Steps that the customer is written to about. */
const MAILED = ['payment_failed', 'notice_of_stop', 'notice_of_end', 'slice_stopped', 'slice_started'];

/** The gateway that is killed: there is one at any time, or one that is to be waited for. */
class Mortal {
  kills = 0;
  private current: Promise<GatewayProgram>;

  constructor(private readonly env: NodeJS.ProcessEnv) {
    this.current = GatewayProgram.start({ env });
  }

  alive(): Promise<GatewayProgram> {
    return this.current;
  }

  async kill(): Promise<void> {
    const victim = await this.current;
    this.kills += 1;
    victim.signal('SIGKILL');
    await victim.ended;
    this.current = GatewayProgram.start({ env: this.env });
    await this.current;
  }

  async end(): Promise<void> {
    await (await this.current).stop();
  }
}

/** How everything stands in the end, by user. */
async function finalState(connection: TestPostgres['connection']): Promise<unknown[]> {
  return withClient(connection, async (client) => {
    const { rows } = await client.query(
      `SELECT a.user_id, a.customer_id, a.customer_number, a.subscription_id, a.status, a.price_id,
              a.current_period_end, a.cancel_at, a.cancel_at_period_end, a.trial_end, a.past_due_since, a.ended_at,
              s.desired_state, s.stopped_by
         FROM billing_account a JOIN slice s ON s.owner_id = a.user_id ORDER BY a.user_id`,
    );
    return rows;
  });
}

describe(`${EVENTS} events, each delivered ${TIMES_EACH} times in no order, by ${CONNECTIONS} connections, seed ${SEED}`, () => {
  it(`with ${KILLS} kill -9 and a restart of PostgreSQL end as they would one by one`, async () => {
    const chance = new Chance(SEED);
    await using mails = await MailServer.start();
    await using stripe = await StripeApi.start();
    await using postgres = await startPostgres();
    // The same, told in order and undisturbed.
    await using orderly = await Gateway.start({
      env: { ...ENGINE_AWAY, ...stripe.env },
    });
    const dataDir = await mkdtemp(join(tmpdir(), 'sluice-deliveries-'));
    const mortal = new Mortal({
      ...testEnvironment(dataDir, postgres.url),
      ...ENGINE_AWAY,
      ...stripe.env,
      SMTP_URL: mails.url,
      DB_POOL_MAX: '20',
      LOG_LEVEL: 'error',
    });
    await mortal.alive();
    const pairs = makePairs(stripe, CUSTOMERS);
    for (const connection of [postgres.connection, orderly.database.connection])
      await withClient(connection, (client) => insertPairs(client, pairs, ENGINE_AWAY.SLICE_RUNTIME));

    const deliveries = new Deliveries(chance);
    const total = EVENTS * TIMES_EACH;
    const began = performance.now();
    let refused = 0;

    /** Things happen; each is told in order at once there, and here whenever. Between customers there is no order. */
    const happen = async (own: readonly Pair[]): Promise<void> => {
      while (stripe.events.length < EVENTS) {
        const from = stripe.events.length;
        moveOf(stripe, chance.oneOf(own).customerId, chance);
        for (const event of stripe.events.slice(from)) {
          deliveries.add(event, TIMES_EACH);
          expect(await stripe.deliver(orderly.url, event)).toBe(200);
        }
      }
    };

    const deliver = async (): Promise<void> => {
      for (let event = await deliveries.take(); event !== undefined; event = await deliveries.take()) {
        for (;;) {
          const gateway = await mortal.alive();
          const status = await stripe.deliver(gateway.url, event).catch(() => 0);
          if (status === 200) break;
          if (![0, 502, 503].includes(status)) await expectNoDefect(gateway);
          refused += 1;
        }
        deliveries.made += 1;
      }
    };

    const disturb = async (): Promise<void> => {
      const moments = Array.from({ length: KILLS + 1 }, (_, i) => ((i + 1) * total) / (KILLS + 2));
      for (const [i, moment] of moments.entries()) {
        await eventually(async () => expect(deliveries.made).toBeGreaterThanOrEqual(moment), 500_000);
        if (i === Math.floor(KILLS / 2)) await postgres.restart();
        else await mortal.kill();
      }
    };

    const everything = Promise.all(
      Array.from({ length: TELLERS }, (_, i) => happen(pairs.filter((_pair, at) => at % TELLERS === i))),
    ).finally(() => deliveries.close());
    await Promise.all([everything, disturb(), ...Array.from({ length: CONNECTIONS }, deliver)]);
    const seconds = (performance.now() - began) / 1000;
    expect(deliveries.made).toBe(stripe.events.length * TIMES_EACH);
    expect(mortal.kills).toBe(KILLS);
    expect(await finalState(postgres.connection)).toEqual(await finalState(orderly.database.connection));
    await expectNothingLost(postgres, stripe.events.length);
    const steps = await expectEachChangeOnce(postgres, pairs);
    const duplicates = await expectMails(postgres, mails, pairs);
    await mortal.end();
    await rm(dataDir, { recursive: true, force: true });
    report({
      seconds,
      events: stripe.events.length,
      deliveries: deliveries.made,
      refused,
      steps,
      mails: mails.received.length,
      duplicates,
    });
  }, 600_000);
});

async function expectNothingLost(postgres: TestPostgres, events: number): Promise<void> {
  const { rows } = await withClient(postgres.connection, (client) =>
    client.query('SELECT count(*)::int AS taken FROM billing_event'),
  );
  expect(rows).toEqual([{ taken: events }]);
}

/** Each generation of a slice has its step in the trail, and steps alternate. */
async function expectEachChangeOnce(postgres: TestPostgres, pairs: readonly Pair[]): Promise<number> {
  const { rows } = await withClient(postgres.connection, (client) =>
    client.query<{ userId: string; generation: number; desired: string; steps: string[] }>(
      `SELECT s.owner_id AS "userId", s.generation, s.desired_state AS desired,
              (SELECT coalesce(array_agg(b.step ORDER BY b.id), '{}') FROM billing_step b
                WHERE b.user_id = s.owner_id AND b.step IN ('slice_stopped', 'slice_started')) AS steps
         FROM slice s WHERE s.owner_id IS NOT NULL`,
    ),
  );
  expect(rows).toHaveLength(pairs.length);
  for (const { generation, desired, steps } of rows) {
    expect(steps).toHaveLength(generation - 1);
    expect(steps).toEqual(steps.map((_, i) => (i % 2 === 0 ? 'slice_stopped' : 'slice_started')));
    expect(desired).toBe(steps.length % 2 === 0 ? 'running' : 'stopped');
  }
  return rows.reduce((sum, { steps }) => sum + steps.length, 0);
}

/** One mail for each step that is told, and at most one more for each kill, with the same Message-ID. */
async function expectMails(
  postgres: TestPostgres,
  mails: MailServer,
  pairs: readonly Pair[],
): Promise<number> {
  await withClient(postgres.connection, (client) =>
    eventually(async () => {
      await client.query('UPDATE outgoing_mail SET next_attempt_at = now()');
      await client.query('SELECT pg_notify($1, $2)', ['mail_queued', '']);
      const { rows } = await client.query('SELECT id FROM outgoing_mail LIMIT 1');
      expect(rows).toEqual([]);
    }, 120_000),
  );
  const { rows } = await withClient(postgres.connection, (client) =>
    client.query<{ userId: string; told: number }>(
      `SELECT user_id AS "userId", count(*)::int AS told FROM billing_step WHERE step = ANY($1) GROUP BY user_id`,
      [MAILED],
    ),
  );
  const told = new Map(rows.map((row) => [row.userId, row.told]));
  for (const { userId, email } of pairs) {
    const ids = mails.received
      .filter(({ to }) => to.includes(email))
      .map(({ headers }) => headers.get('message-id'));
    expect(new Set(ids).size).toBe(told.get(userId) ?? 0);
  }
  const ids = mails.received.map(({ headers }) => headers.get('message-id'));
  const duplicates = ids.length - new Set(ids).size;
  expect(duplicates).toBeLessThanOrEqual(KILLS);
  return duplicates;
}

function report(figures: Record<string, number>): void {
  if (process.env['SOAK'] === '1') process.stdout.write(`${JSON.stringify({ seed: SEED, ...figures })}\n`);
}

/** What is answered otherwise is a defect, which its log tells of a moment later. */
async function expectNoDefect(gateway: GatewayProgram): Promise<never> {
  await eventually(async () => expect(gateway.output).toContain('INTERNAL_ERROR')).catch(() => undefined);
  throw new Error(gateway.output);
}
