import { DataSource } from 'typeorm';
import type { AuthApp } from './auth-app.js';

/** How many connections to the database of an app wait for a lock. */
export async function waitingForLocks(app: Pick<AuthApp, 'get'>): Promise<number> {
  const waiting = await app
    .get(DataSource)
    .query<unknown[]>(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
  return waiting.length;
}
