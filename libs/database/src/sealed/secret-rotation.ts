import { Injectable } from '@nestjs/common';
import { escapeIdentifier } from 'pg';
import { DataSource } from 'typeorm';
import { SecretBox } from '#common';
import { ConfigError } from '#config';
import { SEALED_COLUMNS, type SealedColumn } from './sealed-columns.js';

const BATCH = 200;

/** What a rotation did with one column, or with one place outside the database. */
export interface RotatedPart {
  /** `api_key.key_sealed` for example. */
  readonly name: string;
  /** Sealed anew. */
  readonly resealed: number;
  /** Left as they are, since neither key opens them. */
  readonly unreadable: number;
}

export interface Rotation {
  readonly parts: readonly RotatedPart[];
  /** Whether all that is sealed is sealed with the current key: then nobody needs the previous one any more. */
  readonly complete: boolean;
}

/** Where else something is sealed with `SECRET_KEY`. */
export interface SealedPlace {
  /** Seals it with the current key. */
  rotate(): Promise<RotatedPart>;
  /** Whether all of it is by now. */
  isDone(): Promise<boolean>;
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

  /**
   * @param elsewhere has to be done as well before the current key alone fits this installation
   * @throws ConfigError when neither key fits it; then nothing was touched
   */
  async run(elsewhere: readonly SealedPlace[] = []): Promise<Rotation> {
    const id = await this.fittingInstallation();
    const places = [...SEALED_COLUMNS.map((column) => this.placeOf(column)), ...elsewhere];
    const parts: RotatedPart[] = [];
    for (const place of places) parts.push(await place.rotate());
    // Whoever seals with the previous key meanwhile is a gateway that does not know the current one.
    let complete = parts.every(({ unreadable }) => unreadable === 0);
    for (const place of places) complete &&= await place.isDone();
    if (complete && id !== null) await this.settle(id);
    return { parts, complete };
  }

  /**
   * The id of the installation that one of the keys fits (`openInstallation`); null where no gateway has been yet. With
   * nothing sealed, a mistyped key would else take the place of the one that all gateways have.
   */
  private async fittingInstallation(): Promise<string | null> {
    const [row] = await this.dataSource.query<{ id: string; secret_check: Buffer | null }[]>(
      'SELECT id, secret_check FROM installation',
    );
    if (row === undefined || row.secret_check === null) return null;
    const { id, secret_check: stored } = row;
    if (this.box.macs('installation', id).some((check) => check.equals(stored))) return id;
    throw new ConfigError([
      'SECRET_KEY: neither it nor SECRET_KEY_PREVIOUS is the key of this installation; nothing was changed',
    ]);
  }

  private placeOf(column: SealedColumn): SealedPlace {
    return {
      rotate: () => this.rotate(column),
      isDone: async () => (await this.batch(column)).length === 0,
    };
  }

  private async rotate(column: SealedColumn): Promise<RotatedPart> {
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

  /** From now on only the current key fits, unless another rotation has settled on a third one meanwhile. */
  private async settle(id: string): Promise<void> {
    const checks = this.box.macs('installation', id);
    await this.dataSource.query(
      'UPDATE installation SET secret_check = $1 WHERE secret_check = ANY($2::bytea[])',
      [checks[0], checks],
    );
  }
}

/** Sealed with another key than the current one, whose prefix is $1. */
function isStale({ column }: SealedColumn): string {
  const name = escapeIdentifier(column);
  return `${name} IS NOT NULL AND substring(${name} FROM 1 FOR length($1::bytea)) <> $1::bytea`;
}
