import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import type { InfoRecord } from 'csv-parse';
import { COLUMNS } from './imported-user.js';
import { UserFileFault } from './report.js';

/** A line of a file of users as it stands; empty values are left out. */
export interface UserRecord {
  readonly line: number;
  readonly values: Readonly<Record<string, unknown>>;
  /** What is wrong with the line itself. */
  readonly fault?: string;
}

/** A line is one user: more than this is a quotation mark that was never closed. */
const MAX_RECORD_BYTES = 65_536;

/**
 * The records of a CSV file (RFC 4180, UTF-8, the first line names the columns), one by one, or of a JSON file that
 * holds a list of objects.
 * @throws UserFileFault
 */
export function recordsOfFile(file: string): AsyncIterable<UserRecord> {
  return file.toLowerCase().endsWith('.json') ? recordsOfJson(file) : recordsOfCsv(file);
}

async function* recordsOfCsv(file: string): AsyncGenerator<UserRecord> {
  // The gateway has this file in it, and never reads one.
  const { CsvError, parse } = await import('csv-parse');
  const parser = parse({
    bom: true,
    columns: checkedHeader,
    info: true,
    max_record_size: MAX_RECORD_BYTES,
    // A line of another length is reported with its number, like every other fault.
    relax_column_count: true,
    skip_empty_lines: true,
  });
  // What goes wrong on either side ends the iteration below.
  const records: AsyncIterable<{ info: InfoRecord & { lines: number }; record: Record<string, string> }> =
    pipeline(createReadStream(file), parser, () => undefined);
  try {
    for await (const { info, record } of records) {
      const fault = info.error === undefined ? {} : { fault: 'has another number of fields than the header' };
      yield { line: info.lines, values: withoutBlanks(record), ...fault };
    }
  } catch (error) {
    if (error instanceof CsvError) throw new UserFileFault(error.message, { cause: error });
    throw error;
  }
}

function checkedHeader(header: string[]): string[] {
  const names = header.map((name) => name.trim().toLowerCase());
  const unknown = names.filter((name) => !COLUMNS.includes(name));
  if (unknown.length > 0)
    throw new UserFileFault(
      `unknown column ${unknown.map((name) => `"${name}"`).join(', ')}; there are ${COLUMNS.join(', ')}`,
    );
  if (!names.includes('email'))
    throw new UserFileFault('the first line must name the columns, email among them');
  return names;
}

async function* recordsOfJson(file: string): AsyncGenerator<UserRecord> {
  const list = parsedJson(await readFile(file, 'utf8'));
  if (!Array.isArray(list)) throw new UserFileFault('the file must hold a list of objects');
  for (const [i, entry] of list.entries()) {
    const line = i + 1;
    if (isObject(entry)) yield { line, values: withoutBlanks(entry) };
    else yield { line, values: {}, fault: 'is not an object' };
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserFileFault(`not valid JSON: ${String(error)}`, { cause: error });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withoutBlanks(values: Record<string, unknown>): Record<string, unknown> {
  const present = Object.entries(values).filter(
    ([, value]) => value !== '' && value !== null && value !== undefined,
  );
  return Object.fromEntries(present);
}
