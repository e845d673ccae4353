import { Injectable } from '@nestjs/common';
import { escapeIdentifier } from 'pg';
import { DataSource } from 'typeorm';
import { SecretBox } from '#common';
import { SEALED_COLUMNS, type SealedColumn } from './sealed-columns.js';

const BATCH = 200;

/** What a rotation did with one column. */
export interface RotatedColumn {
  /** `api_key.key_sealed` for example. */
  readonly name: string;
  /** Sealed anew. */
  readonly resealed: number;
  /** Left as they are, since neither key opens them. */
  readonly unreadable: number;
}

export interface Rotation {
  readonly columns: readonly RotatedColumn[];
  /** Whether all that is sealed is sealed with the current key: then nobody needs the previous one any more. */
  readonly complete: boolean;
}

interface SealedRow {
  readonly key: Buffer | string | number;
  readonly sealed: Buffer;
}

/**
 * Seals everything in the database with `SECRET_KEY` that is still sealed with `SECRET_KEY_PREVIOUS`, while gateways
 * run. Each value is a statement of its own, which changes it only as long as nobody else has: it can be killed and run
 * again at any time, and two at once only share the work. No secret changes by it, and no slice's password.
 */
@Injectable()
export class SecretRotation {
  constructor(
    private readonly dataSource: DataSource,
    private readonly box: SecretBox,
  ) {}

  async run(): Promise<Rotation> {
    const columns: RotatedColumn[] = [];
    for (const column of SEALED_COLUMNS) columns.push(await this.rotate(column));
    // Whoever seals with the previous key meanwhile is a gateway that does not know the current one.
    const complete = columns.every(({ unreadable }) => unreadable === 0) && (await this.isDone());
    if (complete) await this.settle();
    return { columns, complete };
  }

  private async rotate(column: SealedColumn): Promise<RotatedColumn> {
    let [resealed, unreadable] = [0, 0];
    let after: SealedRow['key'] | undefined;
    for (;;) {
      const rows = await this.batch(column, after);
      for (const row of rows) {
        const outcome = await this.reseal(column, row);
        if (outcome === 'resealed') resealed++;
        if (outcome === 'unreadable') unreadable++;
      }
      if (rows.length < BATCH) return { name: `${column.table}.${column.column}`, resealed, unreadable };
      after = rows.at(-1)?.key;
    }
  }

  private batch(column: SealedColumn, after?: SealedRow['key']): Promise<SealedRow[]> {
    const key = escapeIdentifier(column.key);
    return this.dataSource.query(
      `SELECT ${key} AS key, ${escapeIdentifier(column.column)} AS sealed
         FROM ${escapeIdentifier(column.table)}
        WHERE ${isStale(column)} ${after === undefined ? '' : `AND ${key} > $2`}
        ORDER BY ${key} LIMIT ${BATCH}`,
      [this.box.currentPrefix, ...(after === undefined ? [] : [after])],
    );
  }

  private async reseal(
    { table, column, key, context, mac }: SealedColumn,
    row: SealedRow,
  ): Promise<'resealed' | 'overtaken' | 'unreadable'> {
    const place = context(Buffer.isBuffer(row.key) ? row.key.toString('base64url') : String(row.key));
    const secret = this.open(row.sealed, place);
    if (secret === null) return 'unreadable';
    const changes = [`${escapeIdentifier(column)} = $3`];
    const values = [row.key, row.sealed, this.box.seal(secret, place)];
    if (mac !== undefined) {
      changes.push(`${escapeIdentifier(mac.column)} = $4`);
      values.push(this.box.mac(mac.purpose, secret));
    }
    const [, changed] = await this.dataSource.query<[unknown, number]>(
      `UPDATE ${escapeIdentifier(table)} SET ${changes.join(', ')}
        WHERE ${escapeIdentifier(key)} = $1 AND ${escapeIdentifier(column)} = $2`,
      values,
    );
    return changed === 1 ? 'resealed' : 'overtaken';
  }

  private open(sealed: Buffer, place: string): string | null {
    try {
      return this.box.open(sealed, place);
    } catch {
      return null;
    }
  }

  private async isDone(): Promise<boolean> {
    for (const column of SEALED_COLUMNS) {
      if ((await this.batch(column)).length > 0) return false;
    }
    return true;
  }

  /** From now on only the current key fits this installation (`openInstallation`). */
  private async settle(): Promise<void> {
    const [row] = await this.dataSource.query<{ id: string }[]>('SELECT id FROM installation');
    if (row === undefined) return;
    await this.dataSource.query('UPDATE installation SET secret_check = $1 WHERE secret_check IS NOT NULL', [
      this.box.mac('installation', row.id),
    ]);
  }
}

/** Sealed with another key than the current one, whose prefix is $1. */
function isStale({ column }: SealedColumn): string {
  const name = escapeIdentifier(column);
  return `${name} IS NOT NULL AND substring(${name} FROM 1 FOR length($1::bytea)) <> $1::bytea`;
}
