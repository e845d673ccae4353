import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** A database that every role of the server may connect to. */
interface OpenDatabase {
  name: string;
  owner: string;
}

/**
 * Closes the databases that are no slice's to the slices' roles. PostgreSQL lets every role connect to a new database,
 * and knows no refusal for one role: the right has to be taken from PUBLIC. Owners and superusers keep theirs.
 */
@Injectable()
export class PublicAccess {
  private readonly logger = new Logger(PublicAccess.name);

  constructor(private readonly dataSource: DataSource) {}

  /**
   * Takes the right to connect to the gateway's own database, `postgres` and `template1` from PUBLIC. Safe to repeat.
   * What this gateway's role may not close is left for the operator, with a warning that says how.
   */
  async revoke(): Promise<void> {
    for (const { name } of await this.open()) {
      // PostgreSQL only warns the owner of nothing; and another gateway may do the same at this moment ("tuple
      // concurrently updated"). Whether it worked is seen afterwards.
      await this.dataSource
        .query(revocation(name))
        .catch((error: unknown) => this.logger.debug({ err: error }));
    }
    for (const { name, owner } of await this.open()) {
      this.logger.warn(
        `Slices can connect to the database ${name}: this gateway's role may not change that. ` +
          `Run as ${owner} or a superuser: ${revocation(name)}`,
      );
    }
  }

  /** Without an ACL of its own a database has the default one, which lets PUBLIC in. */
  private open(): Promise<OpenDatabase[]> {
    return this.dataSource.query<OpenDatabase[]>(
      `SELECT datname AS name, pg_get_userbyid(datdba) AS owner FROM pg_database
        WHERE datname IN (current_database(), 'postgres', 'template1') AND datallowconn
          AND EXISTS (SELECT FROM aclexplode(coalesce(datacl, acldefault('d', datdba)))
                       WHERE grantee = 0 AND privilege_type = 'CONNECT')
        ORDER BY datname`,
    );
  }
}

function revocation(database: string): string {
  return `REVOKE CONNECT ON DATABASE "${database.replaceAll('"', '""')}" FROM PUBLIC`;
}
