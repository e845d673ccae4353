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

/** How a secret can be spelled in a {@link dumpOf} a database. */
export function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [secret, secret.toLowerCase(), bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, '')];
}
