import type { DataSource } from 'typeorm';

/** Every row of every table as text: what a backup shows. */
export async function dumpOf(dataSource: DataSource): Promise<string> {
  const tables = await dataSource.query<Array<{ name: string }>>(
    `SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  );
  const rows = await Promise.all(
    tables.map(({ name }) =>
      dataSource.query<Array<{ row: string }>>(`SELECT t::text AS row FROM ${name} t`),
    ),
  );
  return rows
    .flat()
    .map(({ row }) => row)
    .join('\n');
}

/** How a secret can be spelled in a {@link dumpOf} a database: as text, its bytes, or the bytes that it stands for. */
export function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const encoded = [Buffer.from(secret, 'base64url'), fromBase32(secret)].filter(({ length }) => length >= 8);
  return [
    secret,
    secret.toLowerCase(),
    ...[bytes, ...encoded].flatMap((binary) => [
      binary.toString('hex'),
      binary.toString('base64').replace(/=+$/, ''),
      binary.toString('base64url'),
    ]),
  ];
}

/** RFC 4648 §6; empty for a text that is none. */
function fromBase32(text: string): Buffer {
  const digits = text.split('').map((character) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(character));
  if (digits.includes(-1)) return Buffer.alloc(0);
  const bits = digits.map((digit) => digit.toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
