import {
  array,
  constant,
  constantFrom,
  integer,
  nat,
  record,
  tuple,
  type Arbitrary,
  oneof,
} from 'fast-check';
import {
  BROKEN_LINES,
  CODINGS,
  FIELD_LINES,
  LENGTHS,
  MARK,
  ODD_CODING_LINES,
  ODD_ENDS,
  ODD_EXTENSIONS,
  ODD_HOSTS,
  ODD_LENGTH_LINES,
  ODD_METHODS,
  ODD_TARGETS,
  ODD_TRAILERS,
  ODD_VERSIONS,
  SMUGGLED,
} from './mutated-lines.js';

/* Requests that are mostly in order, and in one or two places not: what a parser says to those is the question. */

/** One request, before it is known whose it is. */
export interface Mutant {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Behind method, target and version. */
  readonly gaps: readonly [string, string, string];
  readonly host: string;
  readonly fields: readonly string[];
  readonly framing: Framing;
  readonly body: string;
  readonly end: string;
}

/** How a body is announced and sent. */
export interface Framing {
  /** Header lines; `%d` stands for the body's length. */
  readonly lines: string;
  /** Null sends the body as it is. */
  readonly chunks: Chunks | null;
}

export interface Chunks {
  /** Length of each chunk. */
  readonly size: number;
  /** What is put behind each size, behind each chunk, and behind the last chunk. */
  readonly extension: string;
  readonly eol: string;
  readonly last: string;
  readonly trailers: string;
  /** How a size is written. */
  readonly digits: 'plain' | 'upper' | 'zeros' | '0x' | 'plus' | 'huge' | 'negative' | 'blank';
}

/** A change of single bytes in what is sent. */
export interface ByteEdit {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

/** What goes over one connection. */
export interface Conversation {
  readonly requests: readonly { readonly mutant: Mutant; readonly who: number }[];
  readonly edit: ByteEdit | null;
  /** Where the bytes are cut into writes, in thousandths. */
  readonly cuts: readonly number[];
}

/** This one, and in one case of so many another. */
function mostly(usual: string, others: readonly string[], oneIn = 40): Arbitrary<string> {
  return oneof(
    { weight: oneIn - 1, arbitrary: constant(usual) },
    { weight: 1, arbitrary: constantFrom(...others) },
  );
}

const methods = oneof(
  {
    weight: 20,
    arbitrary: constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'QUERY'),
  },
  {
    weight: 1,
    arbitrary: constantFrom(...ODD_METHODS),
  },
);

const targets = oneof(
  { weight: 15, arbitrary: constant(MARK) },
  {
    weight: 4,
    arbitrary: constantFrom(...ODD_TARGETS),
  },
);

const versions = mostly('HTTP/1.1', ODD_VERSIONS);
const hosts = mostly('Host: a\r\n', ODD_HOSTS);

const fieldLines = oneof(
  { weight: 80, arbitrary: constantFrom(...FIELD_LINES) },
  { weight: 1, arbitrary: constantFrom(...BROKEN_LINES) },
);

const plainFraming = oneof(
  { weight: 24, arbitrary: constant('Content-Length: %d\r\n') },
  { weight: 3, arbitrary: constantFrom(...LENGTHS).map((value) => `Content-Length: ${value}\r\n`) },
  {
    weight: 1,
    arbitrary: constantFrom(...ODD_LENGTH_LINES),
  },
);

const codings = oneof(
  { weight: 24, arbitrary: constant('Transfer-Encoding: chunked\r\n') },
  { weight: 3, arbitrary: constantFrom(...CODINGS).map((value) => `Transfer-Encoding: ${value}\r\n`) },
  {
    weight: 1,
    arbitrary: constantFrom(...ODD_CODING_LINES),
  },
);

const chunks: Arbitrary<Chunks> = record({
  size: integer({ min: 1, max: 40 }),
  extension: mostly('', ODD_EXTENSIONS),
  eol: mostly('\r\n', ['\n', '\r', '', 'x\r\n', '\r\n\r\n', ' \r\n']),
  last: mostly('0', ['00', '', '0;a=b', '0 ', '-0', '0x0', '+0', 'g']),
  trailers: mostly('', ODD_TRAILERS, 6),
  digits: oneof(
    { weight: 40, arbitrary: constantFrom('plain', 'upper', 'zeros') },
    { weight: 1, arbitrary: constantFrom('0x', 'plus', 'huge', 'negative', 'blank') },
  ),
});

const framings: Arbitrary<Framing> = oneof(
  { weight: 3, arbitrary: plainFraming.map((lines) => ({ lines, chunks: null })) },
  { weight: 3, arbitrary: record({ lines: codings, chunks }) },
);

const bodies = array(
  constantFrom('abc', 'x'.repeat(100), '\r\n', '\r\n\r\n', '0\r\n\r\n', '5\r\n', '\0', '\u00ff', SMUGGLED),
  { maxLength: 4 },
).map((pieces) => pieces.join(''));

const mutants: Arbitrary<Mutant> = record({
  method: methods,
  target: targets,
  version: versions,
  gaps: tuple(
    mostly(' ', ['  ', '\t', '', ' \t', '\r']),
    mostly(' ', ['  ', '\t', '', '\x0b']),
    mostly('\r\n', ODD_ENDS),
  ),
  host: hosts,
  fields: array(fieldLines, { maxLength: 5 }),
  framing: oneof(
    { weight: 1, arbitrary: constant({ lines: '', chunks: null }) },
    { weight: 2, arbitrary: framings },
  ),
  body: bodies,
  end: mostly('\r\n', ODD_ENDS),
}).map((mutant) =>
  mutant.framing.lines === '' && mutant.framing.chunks === null ? { ...mutant, body: '' } : mutant,
);

const edits: Arbitrary<ByteEdit> = record({
  at: nat(1000),
  remove: nat(2),
  insert: constantFrom(
    '',
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    ' ',
    '\t',
    '\0',
    ':',
    ';',
    '0',
    '5',
    'x',
    '\u0085',
    '\u00ff',
    SMUGGLED,
  ),
});

/** One to three requests on a connection, of two customers. */
export const conversations: Arbitrary<Conversation> = record({
  requests: array(record({ mutant: mutants, who: nat(1) }), { minLength: 1, maxLength: 3 }),
  edit: oneof({ weight: 3, arbitrary: constant(null) }, { weight: 1, arbitrary: edits }),
  cuts: array(nat(1000), { maxLength: 4 }),
});

/** The bytes of a request, signed in by this line. */
export function bytesOf(mutant: Mutant, mark: string, cookieLine: string): string {
  const { method, target, version, gaps, host, fields, framing, body, end } = mutant;
  const first = method + gaps[0] + target.replace(MARK, mark) + gaps[1] + version + gaps[2];
  const lines = fields.map((line) => `${line}\r\n`).join('');
  const framed = framing.lines.replaceAll('%d', String(body.length));
  const sent = framing.chunks === null ? body : chunked(body, framing.chunks);
  return first + host + cookieLine + lines + framed + end + sent;
}

function chunked(body: string, { size, extension, eol, last, trailers, digits }: Chunks): string {
  let out = '';
  for (let at = 0; at < body.length; at += size) {
    const chunk = body.slice(at, at + size);
    out += `${written(chunk.length, digits)}${extension}\r\n${chunk}${eol}`;
  }
  return `${out}${last}\r\n${trailers}\r\n`;
}

function written(size: number, digits: Chunks['digits']): string {
  const hex = size.toString(16);
  switch (digits) {
    case 'upper':
      return hex.toUpperCase();
    case 'zeros':
      return `000${hex}`;
    case '0x':
      return `0x${hex}`;
    case 'plus':
      return `+${hex}`;
    case 'huge':
      return `1${'0'.repeat(16)}${hex}`;
    case 'negative':
      return `-${hex}`;
    case 'blank':
      return ` ${hex}`;
    case 'plain':
    default:
      return hex;
  }
}

/** Puts the edit into the bytes, and cuts them into the writes. */
export function writesOf(bytes: string, { edit, cuts }: Pick<Conversation, 'edit' | 'cuts'>): string[] {
  const at = edit === null ? 0 : Math.floor((bytes.length * edit.at) / 1001);
  const sent = edit === null ? bytes : bytes.slice(0, at) + edit.insert + bytes.slice(at + edit.remove);
  const points = cuts.map((cut) => Math.floor((sent.length * cut) / 1001)).toSorted((a, b) => a - b);
  const ends = [...points, sent.length];
  return ends.map((to, i) => sent.slice(points[i - 1] ?? 0, to)).filter((part) => part !== '');
}
