import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase, withClient } from '../../support/postgres.js';

describe('test databases', () => {
  const databases: TestDatabase[] = [];
  beforeAll(async () => {
    databases.push(await createTestDatabase(), await createTestDatabase());
  });
  afterAll(async () => {
    await Promise.all(databases.map((each) => each.drop()));
  });

  it('number their slices apart, so that roles and databases of slices do not collide on the shared server', async () => {
    const [first = 0, second = 0] = await Promise.all(
      databases.map(({ connection }) =>
        withClient(connection, async (client) => {
          const { rows } = await client.query<{ next: string }>(
            `SELECT nextval(pg_get_serial_sequence('slice', 'id')) AS next`,
          );
          return Number(rows[0]?.next);
        }),
      ),
    );

    expect(Math.abs(first - second)).toBeGreaterThanOrEqual(1000);
  });
});
