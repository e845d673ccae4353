/* HTTP/1.1 as RFC 9112 has it, and not a byte else: an opinion of its own on where a message ends. */

/** A header or trailer field: name as it was spelled, value without the blanks around it. */
export type Field = readonly [name: string, value: string];

export interface StrictRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly fields: readonly Field[];
  readonly body: string;
  /** What stands behind it. */
  readonly rest: string;
}

export interface StrictAnswer {
  readonly status: number;
  readonly fields: readonly Field[];
  readonly body: string;
  readonly rest: string;
}

/** More has to arrive before anything can be said. */
export const INCOMPLETE = Symbol('incomplete');
export type Incomplete = typeof INCOMPLETE;

/** Bytes that mean nothing, or two things. */
export class Ambiguous extends Error {}

const REQUEST_LINE = /^([!#$%&'*+.^_`|~\w-]+) ([!-~\x80-\xff]+) (HTTP\/1\.[01])$/;
/** Node skips further blanks, and empty lines in front: one reading still, so a client's bytes are read so. */
const CLIENT_LINE = /^([!#$%&'*+.^_`|~\w-]+) +([!-~\x80-\xff]+) +(HTTP\/1\.[01])$/;
const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d) [\t\x20-\x7e\x80-\xff]*$/;
const FIELD =
  /^([!#$%&'*+.^_`|~\w-]+):[ \t]*((?:[!-~\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[!-~\x80-\xff])?)?)[ \t]*$/;
const CHUNK_SIZE = /^([0-9a-f]+)(?:;[\t\x20-\x7e\x80-\xff]*)?$/i;

/**
 * Takes the first request off the text.
 * @throws Ambiguous
 */
export function takeRequest(text: string, from: 'client' | 'gateway'): StrictRequest | Incomplete {
  const begun = from === 'client' ? text.replace(/^[\r\n]+/, '') : text;
  const head = takeHead(begun);
  if (head === INCOMPLETE) return INCOMPLETE;
  const [, method, target, version] =
    (from === 'client' ? CLIENT_LINE : REQUEST_LINE).exec(head.first) ?? ambiguous(head.first);
  const body = takeBody(head, version === 'HTTP/1.0', false);
  if (body === INCOMPLETE) return INCOMPLETE;
  return { method: method ?? '', target: target ?? '', version: version ?? '', fields: head.fields, ...body };
}

/**
 * Takes the first answer off the text.
 * @param method that it answers; undefined where that is not known
 * @throws Ambiguous
 */
export function takeAnswer(text: string, method: string | undefined): StrictAnswer | Incomplete {
  const head = takeHead(text);
  if (head === INCOMPLETE) return INCOMPLETE;
  const status = Number((STATUS_LINE.exec(head.first) ?? ambiguous(head.first))[1]);
  const bodiless = status < 200 || status === 204 || status === 304 || method === 'HEAD';
  if (bodiless) return { status, fields: head.fields, body: '', rest: head.rest };
  const body = takeBody(head, false, true);
  return body === INCOMPLETE ? INCOMPLETE : { status, fields: head.fields, ...body };
}

/** All values of a field, its name in any case. */
export function valuesIn(fields: readonly Field[], name: string): string[] {
  return fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
}

interface Head {
  readonly first: string;
  readonly fields: readonly Field[];
  readonly rest: string;
}

interface Body {
  readonly body: string;
  readonly rest: string;
}

function takeHead(text: string): Head | Incomplete {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return INCOMPLETE;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  return { first, fields: lines.map(fieldOf), rest: text.slice(end + 4) };
}

function fieldOf(line: string): Field {
  const [, name = '', value = ''] = FIELD.exec(line) ?? ambiguous(line);
  return [name, value];
}

function takeBody({ fields, rest }: Head, http10: boolean, answer: boolean): Body | Incomplete {
  const codings = valuesIn(fields, 'transfer-encoding');
  const lengths = valuesIn(fields, 'content-length');
  if (codings.length + lengths.length > 1) return ambiguous('two framings');
  const [coding] = codings;
  const [length] = lengths;
  if (coding !== undefined) {
    if (http10 || coding.toLowerCase() !== 'chunked') return ambiguous(`Transfer-Encoding: ${coding}`);
    return takeChunks(rest);
  }
  if (length === undefined) return answer ? { body: rest, rest: '' } : { body: '', rest };
  if (!/^\d+$/.test(length) || !Number.isSafeInteger(Number(length))) {
    return ambiguous(`Content-Length: ${length}`);
  }
  if (rest.length < Number(length)) return INCOMPLETE;
  return { body: rest.slice(0, Number(length)), rest: rest.slice(Number(length)) };
}

function takeChunks(text: string): Body | Incomplete {
  let body = '';
  for (let rest = text; ;) {
    const end = rest.indexOf('\r\n');
    if (end === -1) return INCOMPLETE;
    const line = rest.slice(0, end);
    const size = Number.parseInt((CHUNK_SIZE.exec(line) ?? ambiguous(line))[1] ?? '', 16);
    if (!Number.isSafeInteger(size)) return ambiguous(line);
    if (size === 0) return takeTrailers(body, rest.slice(end + 2));
    const from = end + 2;
    const closing = rest.slice(from + size, from + size + 2);
    if (closing.length === 2 && closing !== '\r\n') return ambiguous('a chunk without an end');
    if (closing.length < 2) return INCOMPLETE;
    body += rest.slice(from, from + size);
    rest = rest.slice(from + size + 2);
  }
}

function takeTrailers(body: string, text: string): Body | Incomplete {
  for (let rest = text; ;) {
    const end = rest.indexOf('\r\n');
    if (end === -1) return INCOMPLETE;
    const line = rest.slice(0, end);
    rest = rest.slice(end + 2);
    if (line === '') return { body, rest };
    fieldOf(line);
  }
}

function ambiguous(what: string): never {
  throw new Ambiguous(JSON.stringify(what.slice(0, 200)));
}
