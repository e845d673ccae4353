import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '#common';
import { Transactions } from '#database';
import { type ImportedUser, importedUser } from './imported-user.js';
import type { UserRecord } from './records-of-file.js';
import type { ImportOptions, ImportReport, LineFault } from './report.js';

/** Users written by one statement. */
const BATCH = 500;

interface Line {
  readonly line: number;
  readonly user: ImportedUser;
}

/** Takes users from elsewhere, with the hashes of their passwords. Done again it adds only who is not there yet. */
@Injectable()
export class UserImport {
  constructor(
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /**
   * Imports users. The records are read twice: nothing is written before all of them were looked at, and when one of
   * them is faulty nothing is, unless faulty ones are to be skipped.
   * @param records begins to read them from the start
   * @throws UserFileFault
   */
  async run(records: () => AsyncIterable<UserRecord>, options: ImportOptions): Promise<ImportReport> {
    const faults: LineFault[] = [];
    for await (const checked of check(records(), options)) if ('message' in checked) faults.push(checked);
    if (faults.length > 0 && !options.skipFaulty) return { imported: 0, existing: [], faults };

    const report = { imported: 0, existing: [] as Array<{ line: number; email: string }>, faults };
    let batch: Line[] = [];
    const write = async (): Promise<void> => {
      const existing = await this.insert(batch);
      report.imported += batch.length - existing.length;
      report.existing.push(...existing);
      batch = [];
    };
    for await (const checked of check(records(), options)) {
      if ('user' in checked) batch.push(checked);
      if (batch.length === BATCH) await write();
    }
    await write();
    return report;
  }

  /** One statement, hence one transaction. @returns those who had an account */
  private async insert(lines: readonly Line[]): Promise<Array<{ line: number; email: string }>> {
    const now = this.clock.now();
    const users = lines.map(({ user }) => user);
    const inserted = await this.transactions.manager.query<Array<{ email: string }>>(
      `INSERT INTO "user" (id, email, name, password_hash, role, email_verified_at)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
       ON CONFLICT (email) DO NOTHING RETURNING email`,
      [
        users.map(() => randomUUID()),
        users.map(({ email }) => email),
        users.map(({ name }) => name),
        users.map(({ passwordHash }) => passwordHash),
        users.map(({ role }) => role),
        users.map(({ emailVerified }) => (emailVerified ? now : null)),
      ],
    );
    const emails = new Set(inserted.map(({ email }) => email));
    return lines
      .filter(({ user }) => !emails.has(user.email))
      .map(({ line, user }) => ({ line, email: user.email }));
  }
}

/** Every record as a user, or as its faults. */
async function* check(
  records: AsyncIterable<UserRecord>,
  { allowRoles }: ImportOptions,
): AsyncGenerator<Line | LineFault> {
  const lineOf = new Map<string, number>();
  for await (const { line, values, fault } of records) {
    const user = fault === undefined ? importedUser(values) : [fault];
    if (Array.isArray(user)) {
      for (const message of user) yield { line, message };
    } else if (user.role !== 'member' && !allowRoles) {
      yield { line, message: `role ${user.role} needs --allow-roles` };
    } else if (lineOf.has(user.email)) {
      yield { line, message: `email ${user.email} stands in line ${lineOf.get(user.email)} already` };
    } else {
      lineOf.set(user.email, line);
      yield { line, user };
    }
  }
}
