import { DataSource } from 'typeorm';
import { PostgresSessionStore, type SessionRevocation, SessionRevocations } from '#auth';
import { SecretBox } from '#common';
import { loadConfig } from '#config';
import { ControlConnection, dataSourceOptions, Session, User } from '#database';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { quietLogger } from '../support/quiet-logger.js';
import { TestClock } from '../support/test-clock.js';
import { sessionStoreContract, type SessionStoreUnderTest } from './session-store.contract.js';

sessionStoreContract('PostgreSQL', async (): Promise<SessionStoreUnderTest> => {
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-sessions-'));
  const config = loadConfig({ NODE_ENV: 'test', DATA_DIR: dataDir, DATABASE_URL: database.url });
  const clock = new TestClock();
  const box = new SecretBox(config.secretKey);
  const [one, two] = await Promise.all([gateway(database), gateway(database)]);
  const heardHere: SessionRevocation[] = [];
  one.revocations.subscribe((revocation) => heardHere.push(revocation));
  const heardByReplica: SessionRevocation[] = [];
  await two.revocations.onModuleInit();
  two.revocations.subscribe((revocation) => heardByReplica.push(revocation));
  const users = one.dataSource.getRepository(User);
  return {
    store: new PostgresSessionStore(one.dataSource, clock, one.revocations, config, box),
    replica: new PostgresSessionStore(two.dataSource, clock, two.revocations, config, box),
    clock,
    terms: config.session,
    heardHere,
    heardByReplica,
    async createUser() {
      const user = { id: randomUUID(), email: `${randomUUID()}@example.com` };
      await users.insert(user);
      return user;
    },
    async changeUser(id, change) {
      await users.update({ id }, change);
    },
    dataSource: one.dataSource,
    async dump() {
      const sessions = await one.dataSource.getRepository(Session).find();
      return Buffer.concat(
        sessions.flatMap((session) =>
          Object.values(session).map((value) =>
            Buffer.isBuffer(value) ? value : Buffer.from(String(value)),
          ),
        ),
      );
    },
    settle: () => roundTrip(one.control, two.control),
    async [Symbol.asyncDispose]() {
      for (const { dataSource, control } of [one, two]) {
        await dataSource.destroy();
        await control.stop();
      }
      await database.drop();
      await rm(dataDir, { recursive: true });
    },
  };
});

async function gateway({ connection }: TestDatabase) {
  const control = new ControlConnection({ connection, logger: quietLogger });
  await control.start();
  const revocations = new SessionRevocations(control);
  const dataSource = await new DataSource(dataSourceOptions(connection, 2)).initialize();
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
