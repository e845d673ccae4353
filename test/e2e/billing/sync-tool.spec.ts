import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES } from '../../support/assigned-slices.js';
import { BillingWorld } from '../../support/billing-world.js';

const PROGRAM = fileURLToPath(new URL('../../../tools/billing-sync.ts', import.meta.url));

async function billingSync(env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [PROGRAM], { env: { PATH: process.env['PATH'], ...env } });
  const closed = once(child, 'close');
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [status] = (await closed) as [number | null];
  return { status, out, err };
}

describe('npm run billing:sync', () => {
  it('makes good what was missed, beside a gateway that runs', async () => {
    await using world = await BillingWorld.start(ASSIGNED_SLICES);
    const { browser, subscription, userId } = await world.subscriber();
    world.stripe.cancel(subscription);
    world.loseAll();
    const env = {
      ...world.stripe.env,
      DATA_DIR: world.gateway.dataDir,
      DATABASE_URL: world.gateway.database.url,
      SMTP_URL: 'smtp://127.0.0.1:1',
    };
    expect(await billingSync(env)).toEqual({
      status: 0,
      out: '1 subscriptions were compared; 1 were read anew.\n',
      err: '',
    });
    expect((await browser.get('/billing/status')).body.status).toBe('canceled');
    expect(await world.sliceOf(userId)).toMatchObject({ desired: 'stopped', stoppedBy: 'billing' });
    expect(await billingSync(env)).toMatchObject({ status: 0, out: expect.stringContaining('; 0 were') });

    world.stripe.change(subscription, { status: 'a_status_of_tomorrow' });
    expect(await billingSync(env)).toMatchObject({
      status: 0,
      out: expect.stringContaining('\n1 could not be read.\n'),
      err: `${subscription.id}: a subscription could not be read, and is skipped: Stripe calls ${subscription.id} a_status_of_tomorrow.\n`,
    });

    world.stripe.weather = 'down';
    expect(await billingSync(env)).toMatchObject({
      status: 1,
      err: expect.stringContaining('Stripe does not answer'),
    });
    expect(await billingSync({ ...env, STRIPE_SECRET_KEY: '' })).toMatchObject({
      status: 1,
      err: expect.stringContaining('Billing is off'),
    });
  }, 60_000);
});
