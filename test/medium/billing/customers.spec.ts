import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES, type Customer } from '../../support/assigned-slices.js';
import { BillingWorld } from '../../support/billing-world.js';
import { eventually } from '../../support/eventually.js';
import { PASSWORD } from '../../support/gateway.js';

/* One customer at Stripe for each user, wherever the making of it breaks off. */

const CREATION = 'POST /v1/customers';

let world: BillingWorld;

beforeAll(async () => {
  world = await BillingWorld.start(ASSIGNED_SLICES);
}, 30_000);

afterAll(() => world[Symbol.asyncDispose]());

afterEach(() => {
  world.stripe.gate = () => undefined;
  world.stripe.breaks.clear();
  world.stripe.answersLost.clear();
});

function customersOf({ userId }: Customer) {
  return [...world.stripe.customers.values()].filter(({ metadata }) => metadata['sluice_user'] === userId);
}

async function checkout({ browser }: Customer): Promise<number> {
  return (await browser.post('/billing/create-checkout')).status;
}

/** As a gateway leaves it that dies before it has noted what Stripe answered. */
async function forgetAnswer({ userId }: Customer): Promise<void> {
  await world.query('UPDATE billing_account SET customer_id = NULL WHERE user_id = $1', [userId]);
}

describe('a gateway that dies between the answer of Stripe and its own row', () => {
  it.each([
    ['at once', 0],
    ['after Stripe has forgotten the key of the request', 2],
  ])('has made one customer, who comes back %s', async (_when, days) => {
    const customer = await world.customer();
    expect(await checkout(customer)).toBe(200);
    await forgetAnswer(customer);
    world.clock.advanceDays(days);
    await customer.browser.login(customer.email, PASSWORD);
    expect(await checkout(customer)).toBe(200);
    expect(customersOf(customer)).toHaveLength(1);
  });

  it('finds the customer by the address of then, and tells that of now', async () => {
    const customer = await world.customer();
    await checkout(customer);
    await forgetAnswer(customer);
    await world.query(`UPDATE "user" SET email = 'new-' || email WHERE id = $1`, [customer.userId]);
    expect(await checkout(customer)).toBe(200);
    expect(customersOf(customer)).toMatchObject([{ email: `new-${customer.email}` }]);
  });

  it('has written down with which address it asks before it does', async () => {
    const customer = await world.customer();
    const seen: unknown[] = [];
    world.stripe.gate = async (request, moment) => {
      if (request !== CREATION || moment !== 'before') return;
      seen.push(
        ...(await world.query('SELECT customer_id, customer_email FROM billing_account WHERE user_id = $1', [
          customer.userId,
        ])),
      );
    };
    await checkout(customer);
    expect(seen).toEqual([{ customer_id: null, customer_email: customer.email }]);
  });

  it('leaves nobody at Stripe who has deleted the account since', async () => {
    const customer = await world.customer();
    await checkout(customer);
    await forgetAnswer(customer);
    const { browser, userId } = customer;
    expect((await browser.send('DELETE', '/account', { body: { password: PASSWORD } })).status).toBe(204);
    await eventually(async () => {
      expect(customersOf(customer)).toMatchObject([{ deleted: true }]);
      expect(
        await world.query('SELECT customer_email FROM billing_account WHERE user_id = $1', [userId]),
      ).toEqual([{ customer_email: null }]);
    });
  });
});

describe('a customer whose making ends in a 500', () => {
  it.each(['before', 'after'] as const)(
    'that Stripe repeats, %s it was made, is there once by the next try',
    async (moment) => {
      const customer = await world.customer();
      world.stripe.breaks.set(CREATION, moment);
      expect(await checkout(customer)).toBe(503);
      expect(await checkout(customer)).toBe(200);
      expect(customersOf(customer)).toHaveLength(1);
    },
  );

  it('is asked for twice at the most, whatever Stripe says', async () => {
    const customer = await world.customer();
    world.stripe.breaks.set(CREATION, 'before');
    expect(await checkout(customer)).toBe(503);
    world.stripe.requests.length = 0;
    world.stripe.gate = (request) =>
      void (request === CREATION && world.stripe.breaks.set(CREATION, 'before'));
    expect(await checkout(customer)).toBe(503);
    expect(world.stripe.requests.filter((request) => request === CREATION)).toHaveLength(2);
  });
});

describe('a customer who is made while a proxy in front of Stripe gives up', () => {
  it('is there once by the next try, whatever the address is by then', async () => {
    const customer = await world.customer();
    world.stripe.answersLost.add(CREATION);
    expect(await checkout(customer)).toBe(503);
    await world.query(`UPDATE "user" SET email = 'new-' || email WHERE id = $1`, [customer.userId]);
    world.stripe.answersLost.clear();
    expect(await checkout(customer)).toBe(200);
    expect(customersOf(customer)).toMatchObject([{ email: `new-${customer.email}` }]);
  });
});

describe('an address that Stripe refuses', () => {
  it('is in the way of nothing once it is another one', async () => {
    const customer = await world.customer();
    const setAddress = (email: string) =>
      world.query('UPDATE "user" SET email = $2 WHERE id = $1', [customer.userId, email]);
    await setAddress('ada@localhost');
    expect(await checkout(customer)).toBe(502);
    await setAddress(customer.email);
    expect(await checkout(customer)).toBe(200);
    expect(customersOf(customer)).toMatchObject([{ email: customer.email }]);
  });
});
