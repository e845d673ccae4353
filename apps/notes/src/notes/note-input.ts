import { HttpError, notFound, validationFailed, type Fault } from '../http/http-error.ts';
import type { NoteFields } from './note.ts';

const LONGEST = { title: 200, body: 100_000 } as const;
const GREATEST_ID = 2_147_483_647;
const PAGE = { usual: 50, greatest: 100 };

/**
 * The fields of a new note: `title` (1 to 200 characters, trimmed) and, if given, `body` (up to 100,000).
 *
 * @throws HttpError 400 `VALIDATION_FAILED`, 415 when there is no JSON body
 */
export function parseNewNote(input: unknown): NoteFields {
  const fields = parseFields(input);
  if (fields.title === undefined) throw validationFailed([{ path: 'title', message: 'is required' }]);
  return { title: fields.title, body: fields.body ?? '' };
}

/**
 * The fields to change; at least one.
 *
 * @throws HttpError 400 `VALIDATION_FAILED`, 415 when there is no JSON body
 */
export function parseNoteChange(input: unknown): Partial<NoteFields> {
  const fields = parseFields(input);
  if (Object.keys(fields).length === 0)
    throw validationFailed([{ path: '', message: 'needs title or body' }]);
  return fields;
}

/**
 * The id in a path. One that no note can have is a note that is not there.
 *
 * @throws HttpError 404
 */
export function parseNoteId(text: string): number {
  const id = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(id <= GREATEST_ID)) throw notFound('Note');
  return id;
}

/** The page asked for: `limit` (1 to 100, else 50) notes older than the one with the id `before`. */
export function parsePage(query: Record<string, unknown>): { limit: number; before: number } {
  const faults: Fault[] = [];
  const limit = parseInteger(query['limit'], 'limit', PAGE.usual, PAGE.greatest, faults);
  const before = parseInteger(query['before'], 'before', GREATEST_ID, GREATEST_ID, faults);
  if (faults.length > 0) throw validationFailed(faults);
  return { limit, before };
}

function parseFields(input: unknown): Partial<NoteFields> {
  if (input === undefined)
    throw new HttpError(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send the note as application/json');
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw validationFailed([{ path: '', message: 'must be an object' }]);
  }
  const faults: Fault[] = [];
  const fields: Partial<NoteFields> = {};
  for (const [name, value] of Object.entries(input)) {
    if (name === 'title' || name === 'body') {
      fields[name] = parseText(name, value, faults);
    } else {
      faults.push({ path: name, message: 'is not a field of a note' });
    }
  }
  if (faults.length > 0) throw validationFailed(faults);
  return fields;
}

function parseText(name: keyof NoteFields, value: unknown, faults: Fault[]): string {
  const refuse = (message: string) => {
    faults.push({ path: name, message });
    return '';
  };
  if (typeof value !== 'string') return refuse('must be a string');
  if (value.length > LONGEST[name]) return refuse(`must be at most ${LONGEST[name]} characters long`);
  // PostgreSQL's text cannot hold it.
  if (value.includes('\0')) return refuse('must not contain U+0000');
  if (name === 'body') return value;
  return value.trim() || refuse('must not be empty');
}

function parseInteger(
  value: unknown,
  name: string,
  usual: number,
  greatest: number,
  faults: Fault[],
): number {
  if (value === undefined) return usual;
  const number = typeof value === 'string' && /^[1-9]\d{0,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number <= greatest))
    faults.push({ path: name, message: `must be a whole number from 1 to ${greatest}` });
  return number;
}
