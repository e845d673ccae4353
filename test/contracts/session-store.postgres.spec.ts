import { expect, it } from '@jest/globals';
import { hashSessionId, newSessionId, PostgresSessionStore } from '#auth';
import { Session } from '#database';
import { type StoreParts, twoReplicas } from '../support/session-stores.js';
import { sessionStoreContract } from './session-store.contract.js';

const makeStore = ({ dataSource, clock, revocations, config, box }: StoreParts): PostgresSessionStore =>
  new PostgresSessionStore(dataSource, clock, revocations, config, box);

sessionStoreContract('PostgreSQL', async () => {
  const { dispose, ...replicas } = await twoReplicas(makeStore);
  return {
    ...replicas,
    async dump() {
      const sessions = await replicas.dataSource.getRepository(Session).find();
      return Buffer.concat(
        sessions.flatMap((session) =>
          Object.values(session).map((value) =>
            Buffer.isBuffer(value) ? value : Buffer.from(String(value)),
          ),
        ),
      );
    },
    [Symbol.asyncDispose]: dispose,
  };
});

it('leaves nothing in PostgreSQL of sessions that have expired', async () => {
  const { store, clock, terms, dataSource, createUser, dispose } = await twoReplicas(makeStore);
  const { id: userId } = await createUser();
  const from = { userId, ip: '::1', userAgent: null, subject: null, tokens: null } as const;
  for (const kind of ['oidc', 'oidc', 'password'] as const) {
    await store.create({ ...from, hash: hashSessionId(newSessionId()), kind });
  }
  clock.advance(terms.oidcTtlMs);
  expect(await store.sweep()).toBe(2);
  expect(await dataSource.getRepository(Session).count()).toBe(1);
  await dispose();
});
