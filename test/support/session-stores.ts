import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { type SessionRevocation, SessionRevocations, type SessionStore } from '#auth';
import { type Clock, SecretBox } from '#common';
import { type AppConfig, loadConfig } from '#config';
import { ControlConnection, dataSourceOptions, User } from '#database';
import { createTestDatabase, type TestDatabase } from './postgres.js';
import { quietLogger } from './quiet-logger.js';
import { TestClock } from './test-clock.js';

/** What a session store of one replica is made of. */
export interface StoreParts {
  readonly dataSource: DataSource;
  readonly control: ControlConnection;
  readonly revocations: SessionRevocations;
  readonly clock: Clock;
  readonly config: AppConfig;
  readonly box: SecretBox;
}

/** Two replicas with a session store each, on one PostgreSQL. */
export async function twoReplicas(makeStore: (parts: StoreParts) => SessionStore) {
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-sessions-'));
  const config = loadConfig({ NODE_ENV: 'test', DATA_DIR: dataDir, DATABASE_URL: database.url });
  const clock = new TestClock();
  const box = new SecretBox(config.secretKey);
  const [one, two] = await Promise.all([replica(database), replica(database)]);
  const heardHere: SessionRevocation[] = [];
  one.revocations.subscribe((revocation) => heardHere.push(revocation));
  const heardByReplica: SessionRevocation[] = [];
  await two.revocations.onModuleInit();
  two.revocations.subscribe((revocation) => heardByReplica.push(revocation));
  const users = one.dataSource.getRepository(User);
  return {
    store: makeStore({ ...one, clock, config, box }),
    replica: makeStore({ ...two, clock, config, box }),
    clock,
    terms: config.session,
    dataSource: one.dataSource,
    control: one.control,
    heardHere,
    heardByReplica,
    createUser: async () => {
      const user = { id: randomUUID(), email: `${randomUUID()}@example.com` };
      await users.insert(user);
      return user;
    },
    changeUser: async (id: string, change: { disabledAt?: Date; role?: 'admin' }) => {
      await users.update({ id }, change);
    },
    settle: () => roundTrip(one.control, two.control),
    dispose: async () => {
      for (const { dataSource, control } of [one, two]) {
        await dataSource.destroy();
        await control.stop();
      }
      await database.drop();
      await rm(dataDir, { recursive: true });
    },
  };
}

async function replica({ connection }: TestDatabase) {
  const control = new ControlConnection({ connection, logger: quietLogger });
  await control.start();
  const revocations = new SessionRevocations(control);
  const dataSource = await new DataSource(dataSourceOptions(connection, 3)).initialize();
  return { control, revocations, dataSource };
}

/** PostgreSQL delivers in the order of the commits: when this has come, all before it has. */
async function roundTrip(from: ControlConnection, to: ControlConnection): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = await to.listen('settled', () => resolve());
  await from.notify('settled');
  await promise;
  stop();
}
