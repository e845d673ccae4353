import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { PostgresLoginStates } from '#auth';
import { SecretBox } from '#common';
import { dataSourceOptions, LoginState } from '#database';
import { createTestDatabase } from '../support/postgres.js';
import { TestClock } from '../support/test-clock.js';
import { loginStatesContract } from './login-states.contract.js';

const box = new SecretBox('the secret key of this test, long enough');

loginStatesContract('PostgreSQL', async () => {
  const { states, replica, clock, dataSource, dispose } = await open();
  return {
    states,
    replica,
    clock,
    async dump() {
      const rows = await dataSource.getRepository(LoginState).find();
      return Buffer.concat(rows.map(({ sealed }) => sealed));
    },
    [Symbol.asyncDispose]: dispose,
  };
});

it('leaves nothing in PostgreSQL of sign-ins that nobody finished', async () => {
  const { states, clock, dataSource, dispose } = await open();
  await states.put(randomBytes(32).toString('base64url'), 'record', 1000);
  clock.advance(1000);
  expect(await states.sweep()).toBe(1);
  expect(await dataSource.getRepository(LoginState).count()).toBe(0);
  await dispose();
});

async function open() {
  const database = await createTestDatabase();
  const dataSource = await new DataSource(dataSourceOptions(database.connection, 3)).initialize();
  const clock = new TestClock();
  return {
    clock,
    dataSource,
    states: new PostgresLoginStates(dataSource, clock, box),
    replica: new PostgresLoginStates(dataSource, clock, box),
    dispose: async () => {
      await dataSource.destroy();
      await database.drop();
    },
  };
}
