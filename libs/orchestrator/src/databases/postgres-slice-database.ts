import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type QueryRunner } from 'typeorm';
import { errorCode } from '#common';
import { AppConfig } from '#config';
import { CONTROL_SESSION, DatabaseServer } from '#database';
import { InstallationId } from '../installation.js';
import { ForeignResourceError } from '../runtimes/errors.js';
import { holdersOf, takeBack } from './given-privileges.js';
import { scramVerifier } from './scram.js';
import { SliceDatabase, type SliceDatabaseAccess, type SliceDatabaseRemnant } from './slice-database.js';

/** `datconnlimit` of a database whose DROP was interrupted: it can only be dropped (PostgreSQL 16 and later). */
const INVALID_DATABASE = -2;

/** `datconnlimit` of a database that only its role limits. */
const UNLIMITED = -1;

/** SQLSTATE `dependent_objects_still_exist`. */
const DEPENDENT_OBJECTS = '2BP01';

/** A slice that goes on granting loses the race soon. */
const DROP_ATTEMPTS = 5;

const NAME = /^slice_(\d+)$/;

interface Found {
  name: string;
  comment: string | null;
}

interface FoundDatabase {
  connectionLimit: number;
  allowsConnections: boolean;
  isTemplate: boolean;
}

/**
 * One role and one database a slice, on the server of the gateway's own database. A comment marks them as this
 * installation's; what lacks the mark is never touched.
 */
@Injectable()
export class PostgresSliceDatabase extends SliceDatabase {
  constructor(
    private readonly dataSource: DataSource,
    private readonly installation: InstallationId,
    private readonly config: AppConfig,
    @Inject(DatabaseServer) private readonly server: Pick<DatabaseServer, 'connection'>,
  ) {
    super();
  }

  override async ensure(sliceId: number, password: string): Promise<SliceDatabaseAccess> {
    const name = databaseName(sliceId);
    const verifier = await scramVerifier(password);
    await this.withRunner(async (runner) => {
      // Before anything is made: a role of ours beside a stranger's database would be of no use.
      if ((await this.findDatabase(runner, name)) !== null) await this.assertOurs(runner, name);
      await this.ensureRole(runner, name, verifier);
      await this.ensureDatabase(runner, name);
    });
    return { database: name, role: name, password };
  }

  override async drop(sliceId: number): Promise<void> {
    const name = databaseName(sliceId);
    await this.withRunner(async (runner) => {
      const found = await this.findDatabase(runner, name);
      if (found !== null) {
        await this.assertOurs(runner, name);
        // A slice owns its database, and may have made it a template, which can't be dropped.
        if (found.isTemplate) await runner.query(`ALTER DATABASE "${name}" IS_TEMPLATE false`);
        await runner.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
      }
      if ((await this.findRole(runner, name)) !== null) {
        await this.assertOurs(runner, name);
        await this.dropRole(runner, name);
      }
    });
  }

  override async list(): Promise<SliceDatabaseRemnant[]> {
    const rows: Array<Found & { kind: SliceDatabaseRemnant['kind'] }> = await this.dataSource.query(
      `SELECT 'database' AS kind, d.datname AS name, r.comment FROM pg_database d
         JOIN (SELECT oid, rolname, shobj_description(oid, 'pg_authid') AS comment FROM pg_roles) r ON r.oid = d.datdba
       UNION ALL
       SELECT 'role', rolname, shobj_description(oid, 'pg_authid') FROM pg_roles`,
    );
    return rows.flatMap(({ kind, name, comment }) => {
      const sliceId = sliceIdOf(name);
      return sliceId !== null && comment === this.mark(sliceId) ? [{ kind, sliceId, name }] : [];
    });
  }

  override async capacity(): Promise<number> {
    const [row] = await this.dataSource.query<Array<{ connections: number; gateways: number }>>(
      `SELECT current_setting('max_connections')::int
            - current_setting('superuser_reserved_connections')::int
            - coalesce(nullif(current_setting('reserved_connections', true), '')::int, 0) AS connections,
              (SELECT count(*)::int FROM pg_stat_activity
                WHERE datname = current_database() AND usename = current_user AND application_name = $1) AS gateways`,
      [CONTROL_SESSION],
    );
    // This one is there, even while its control connection is not. All are taken to be set up alike.
    const forGateways = Math.max(1, row?.gateways ?? 0) * (this.config.database.poolMax + 1);
    return Math.floor(((row?.connections ?? 0) - forGateways) / this.config.slices.databaseConnections);
  }

  /** Role and mark come in one transaction: a role without the mark is never ours. */
  private async ensureRole(runner: QueryRunner, name: string, verifier: string): Promise<void> {
    const attributes = `LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT ${this.config.slices.databaseConnections} PASSWORD '${verifier}'`;
    if ((await this.findRole(runner, name)) !== null) {
      await this.assertOurs(runner, name);
      const changeable = `LOGIN CONNECTION LIMIT ${this.config.slices.databaseConnections} PASSWORD '${verifier}'`;
      await runner.query(`ALTER ROLE "${name}" ${changeable}`);
      return;
    }
    const version = await serverVersion(runner);
    await runner.startTransaction();
    try {
      // From PostgreSQL 16 on, CREATEROLE alone does not make its creator a member, and only a member may give the
      // role a database.
      if (version >= 160_000) await runner.query(`SET LOCAL createrole_self_grant = 'set, inherit'`);
      await runner.query(`CREATE ROLE "${name}" ${attributes}`);
      if (version < 160_000) await runner.query(`GRANT "${name}" TO CURRENT_USER`);
      await runner.query(`COMMENT ON ROLE "${name}" IS '${this.markOf(name)}'`);
      await runner.commitTransaction();
    } catch (error) {
      await runner.rollbackTransaction();
      throw error;
    }
  }

  /** @throws ForeignResourceError when it has something in a database that is no slice's */
  private async dropRole(runner: QueryRunner, name: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const holders = await holdersOf(runner, name);
      for (const holder of holders)
        if (holder.mark?.startsWith(this.markPrefix()) === true)
          await takeBack(runner, this.server.connection, name, holder);
      try {
        await runner.query(`DROP ROLE IF EXISTS "${name}"`);
        return;
      } catch (cause) {
        if (errorCode(cause) !== DEPENDENT_OBJECTS) throw cause;
        if (attempt < DROP_ATTEMPTS) continue;
        const where = (await holdersOf(runner, name)).map(({ database }) => database).join(', ');
        throw new ForeignResourceError(
          `PostgreSQL still holds something of the role ${name} in ${where}; run DROP OWNED BY ${name} there`,
          { cause },
        );
      }
    }
  }

  private async ensureDatabase(runner: QueryRunner, name: string): Promise<void> {
    let found = await this.findDatabase(runner, name);
    if (found?.connectionLimit === INVALID_DATABASE) {
      await runner.query(`DROP DATABASE "${name}"`);
      found = null;
    }
    // template0: whatever an operator put into template1 is none of the customer's business. Closed at first: a new
    // database lets PUBLIC in, and who is in stays in.
    if (found === null) {
      await runner.query(
        `CREATE DATABASE "${name}" OWNER "${name}" TEMPLATE template0 ENCODING 'UTF8' ALLOW_CONNECTIONS false`,
      );
    }
    await runner.query(`REVOKE ALL ON DATABASE "${name}" FROM PUBLIC`);
    // The slice owns its database: it may have locked itself out, or made it a template.
    if (found?.allowsConnections === true && found.connectionLimit === UNLIMITED && !found.isTemplate) return;
    await runner.query(
      `ALTER DATABASE "${name}" ALLOW_CONNECTIONS true CONNECTION LIMIT ${UNLIMITED} IS_TEMPLATE false`,
    );
  }

  private async findRole(runner: QueryRunner, name: string): Promise<Found | null> {
    const [row] = await runner.query(
      `SELECT rolname AS name, shobj_description(oid, 'pg_authid') AS comment FROM pg_roles WHERE rolname = $1`,
      [name],
    );
    return row ?? null;
  }

  private async findDatabase(runner: QueryRunner, name: string): Promise<FoundDatabase | null> {
    const [row] = await runner.query(
      `SELECT datconnlimit AS "connectionLimit", datallowconn AS "allowsConnections", datistemplate AS "isTemplate"
         FROM pg_database WHERE datname = $1`,
      [name],
    );
    return row ?? null;
  }

  /** A database is ours by its owner, a role by its comment. */
  private async assertOurs(runner: QueryRunner, name: string): Promise<void> {
    const role = await this.findRole(runner, name);
    const [database] = await runner.query(
      `SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = $1`,
      [name],
    );
    const foreignOwner = database !== undefined && database.owner !== name;
    if (role?.comment === this.markOf(name) && !foreignOwner) return;
    throw new ForeignResourceError(
      `PostgreSQL has a database or role named ${name} that this installation did not make; rename or drop it`,
    );
  }

  private markPrefix(): string {
    return `sluice:${this.installation.value}:slice:`;
  }

  private mark(sliceId: number): string {
    return `${this.markPrefix()}${sliceId}`;
  }

  private markOf(name: string): string {
    return this.mark(sliceIdOf(name) ?? Number.NaN);
  }

  /** One connection for all steps: CREATE and DROP DATABASE can't run inside a transaction. */
  private async withRunner(work: (runner: QueryRunner) => Promise<void>): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    try {
      await work(runner);
    } finally {
      await runner.release();
    }
  }
}

/** Database and role of a slice. Only digits go into it, so that it is safe in SQL as it stands. */
export function databaseName(sliceId: number): string {
  if (!Number.isSafeInteger(sliceId) || sliceId < 1) throw new RangeError(`not a slice id: ${sliceId}`);
  return `slice_${sliceId}`;
}

function sliceIdOf(name: string): number | null {
  const match = NAME.exec(name);
  return match === null ? null : Number(match[1]);
}

async function serverVersion(runner: QueryRunner): Promise<number> {
  const [row] = await runner.query(`SELECT current_setting('server_version_num')::int AS version`);
  return row.version;
}
