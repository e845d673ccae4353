import type { TestingModuleBuilder } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { ReconcileLoop } from '../../libs/orchestrator/src/reconcile/reconcile-loop.js';
import { allHeard } from './all-heard.js';
import type { Browser } from './clients.js';
import { type Gateway, type GatewayOptions, PASSWORD } from './gateway.js';

/**
 * Options of a gateway whose slices are rows that a test writes: for what the edge makes of a slice, whoever runs it.
 * Nothing reconciles them.
 */
export const ASSIGNED_SLICES: Pick<GatewayOptions, 'env' | 'override'> = {
  env: { SLICE_AUTO_PROVISION: 'false' },
  override: (builder: TestingModuleBuilder) => builder.overrideProvider(ReconcileLoop).useValue({}),
};

/** The same, with more of the gateway's environment. */
export function assignedSlices(env: NonNullable<GatewayOptions['env']>): typeof ASSIGNED_SLICES {
  return { ...ASSIGNED_SLICES, env: { ...ASSIGNED_SLICES.env, ...env } };
}

/** What the edge looks at in a slice. */
export interface AssignedSlice {
  readonly port: number | null;
  readonly status?: string;
  readonly desired?: string;
}

/** A new customer, signed in, with a slice that is as given; without one when it is null. */
export async function customerWith(gateway: Gateway, slice: AssignedSlice | null): Promise<Customer> {
  const browser = gateway.browser();
  const email = `${crypto.randomUUID()}@example.com`;
  const { body } = await browser.register(email, PASSWORD);
  const customer = { browser, email, userId: String(body.user.id) };
  if (slice !== null) await assign(gateway, customer.userId, slice);
  // What is told of them is no news to a test that begins now.
  await allHeard(gateway);
  return customer;
}

export interface Customer {
  readonly browser: Browser;
  readonly email: string;
  readonly userId: string;
}

/** Gives the user a slice, or changes the one they have; every gateway on the database is told. */
export async function assign(gateway: Gateway, userId: string, slice: AssignedSlice): Promise<void> {
  const { port, status = 'active', desired = 'running' } = slice;
  await gateway.get(DataSource).query(
    `INSERT INTO slice (name, owner_id, runtime, memory_bytes, cpus, spec_hash) VALUES ($1::uuid::text, $1::uuid, 'process', 1, 1, '')
     ON CONFLICT DO NOTHING`,
    [userId],
  );
  // The announcement is of updates: nobody can know of a slice that has just come to be.
  await gateway
    .get(DataSource)
    .query(
      `UPDATE slice SET host = '127.0.0.1', port = $2, status = $3, desired_state = $4 WHERE owner_id = $1::uuid`,
      [userId, port, status, desired],
    );
}
