import { Client, escapeIdentifier } from 'pg';
import type { QueryRunner } from 'typeorm';
import { errorCode } from '#common';
import type { Connection } from '#database';

/** SQLSTATE `lock_not_available`: `lock_timeout` was reached. */
const LOCK_NOT_AVAILABLE = '55P03';

/** A database in which something depends on a role: what it owns, may do, or is named in. */
export interface Holder {
  database: string;
  owner: string;
  /** The comment on the owner, which tells whose it is. */
  mark: string | null;
}

/** Where something depends on the role, so that PostgreSQL would not drop it. A grant on a database is that database's. */
export async function holdersOf(runner: QueryRunner, role: string): Promise<Holder[]> {
  return runner.query(
    `SELECT DISTINCT d.datname AS database, pg_get_userbyid(d.datdba) AS owner,
            shobj_description(d.datdba, 'pg_authid') AS mark
       FROM pg_shdepend s
       JOIN pg_database d ON d.oid = CASE WHEN s.classid = 'pg_database'::regclass THEN s.objid ELSE s.dbid END
      WHERE s.refclassid = 'pg_authid'::regclass
        AND s.refobjid = (SELECT oid FROM pg_roles WHERE rolname = $1)
      ORDER BY 1`,
    [role],
  );
}

/**
 * Takes from a role whose own database is gone what another slice gave it in its database: privileges are revoked, and
 * what the role made there becomes that slice's. Else a slice could keep its neighbour from being destroyed by granting
 * it something, asked or not.
 * @throws QueryFailedError, DatabaseError
 */
export async function takeBack(
  runner: QueryRunner,
  connection: Connection,
  role: string,
  { database, owner }: Holder,
): Promise<void> {
  // Its owner may have shut out everybody, us and itself included.
  await runner.query(`GRANT CONNECT ON DATABASE ${quoted(database)} TO ${quoted(owner)}`);
  await runner.query(`ALTER DATABASE ${quoted(database)} ALLOW_CONNECTIONS true CONNECTION LIMIT -1`);
  const client = new Client({ ...connection, database, options: await sessionOptions(runner) });
  client.on('error', () => undefined); // the query that waits is rejected, too
  try {
    await client.connect();
    await strip(client, role, owner).catch(async (error: unknown) => {
      if (errorCode(error) !== LOCK_NOT_AVAILABLE) throw error;
      // Whoever sits on it may do so for ever; an app comes back by itself.
      await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
      await strip(client, role, owner);
    });
  } finally {
    await client.end();
  }
}

async function strip(client: Client, role: string, owner: string): Promise<void> {
  // Databases would be handed over as well: this role has none any more.
  await client.query(`REASSIGN OWNED BY ${quoted(role)} TO ${quoted(owner)}`);
  await client.query(`DROP OWNED BY ${quoted(role)}`);
  // That leaves what a third role granted, who was given the right to do so. Such a role loses all it has here, and
  // what it granted with it: nobody but the owner has any business in a slice's database.
  for (const grantor of await grantorsLeft(client, role, owner))
    await client.query(`DROP OWNED BY ${quoted(grantor)} CASCADE`);
}

/** The roles that something in this database depends on, beside its owner; none unless the role is still one of them. */
async function grantorsLeft(client: Client, role: string, owner: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT r.rolname AS name
       FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid
       JOIN pg_database d ON d.datname = current_database()
            AND d.oid = CASE WHEN s.classid = 'pg_database'::regclass THEN s.objid ELSE s.dbid END
      WHERE s.refclassid = 'pg_authid'::regclass`,
  );
  const names = rows.map(({ name }) => name);
  return names.includes(role) ? names.filter((name) => name !== owner && /^slice_\d+$/.test(name)) : [];
}

/**
 * The owner of a database chooses the settings that sessions in it begin with, ours included; those of the connection
 * come before them. None may make our names mean its objects, forbid us to write, or end us in the middle.
 */
async function sessionOptions(runner: QueryRunner): Promise<string> {
  const [{ version }] = await runner.query(`SELECT current_setting('server_version_num')::int AS version`);
  const settings = [
    'role=none',
    'search_path=pg_catalog',
    'default_transaction_read_only=off',
    'lock_timeout=2s',
    'statement_timeout=30s',
    'idle_session_timeout=0',
    'idle_in_transaction_session_timeout=0',
    ...(version >= 170_000 ? ['transaction_timeout=0'] : []),
  ];
  return settings.map((setting) => `-c ${setting}`).join(' ');
}

const quoted = escapeIdentifier;
