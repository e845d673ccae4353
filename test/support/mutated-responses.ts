import {
  array,
  boolean,
  constant,
  constantFrom,
  nat,
  oneof,
  record,
  string,
  type Arbitrary,
} from 'fast-check';

/* Answers of an upstream that are mostly in order, and in a place or two not. */

/** What was asked, and the bytes that answer it, as latin1. */
export interface Answered {
  readonly isHead: boolean;
  readonly text: string;
}

const STATUSES = [
  '200 OK',
  '200',
  '200 ',
  '201 Created',
  '404 \xe4',
  '500 x y',
  '999 x',
  '204 No',
  '304 Not',
  '205 x',
];
const ODD_STATUSES = ['20', '2000 x', '099 x', ' 200', '101 x', '200\tx', '200 \x01'];
const ODD_VERSIONS = ['HTTP/1.2', 'HTTP/2.0', 'http/1.1', '\r\nHTTP/1.1'];
const INTERIM = ['', '', '', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 x\r\nLink: </a>\r\n\r\n'];
const FIELDS = [
  'X-A: b',
  'X-A:b',
  'x-b:\t c \t',
  'X-Empty:',
  'X-Blank: \t ',
  'X-High: \xa0\xff\xa0',
  'Set-Cookie: a=b',
  'Set-Cookie: c=d',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: x, close',
  'Keep-Alive: timeout=5',
  "!#$%&'*+-.^_`|~9: z",
  'Content-Type: text/plain',
  'Trailer: X-Sum',
  'Upgrade: x',
  'Content-Lengths: 3',
  `X-Long: ${'x'.repeat(300)}`,
];
const ODD_FIELDS = [
  'X-A : b',
  ' folded',
  '\tfolded',
  'no colon',
  ': nameless',
  'X\x00: b',
  'X-A: b\x00c',
  'X-A: b\rc',
  'X-A: b\nX-C: d',
  '',
  'Content-Length: 3',
  'Content-Length: 3, 3',
  'Content-Length: +3',
  'Content-Length:',
  'Content-Length: 0x3',
  'Content-Length: 3\t',
  'Content-Length: 99999999999999999999',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip',
  'Transfer-Encoding: chunked\t',
  'Transfer-Encoding: chunked, gzip',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding:',
  'Transfer-Encoding: x\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding: \xa0chunked',
];
const EXTENSIONS = ['', '', '', ';a', ';a=b', ';a="b c"', ';a="\\"";b'];
const ODD_EXTENSIONS = [
  ' ',
  ' ;a',
  '; a',
  ';',
  ';a=',
  ';a=b c',
  ';a="b',
  ';a\x00',
  ';a\r',
  ';\xe4',
  'g',
  '_',
  '.',
  ',1',
];
const TRAILERS = ['', '', 'X-Sum: 1\r\n', 'X-Sum:\r\nB: \t2\r\n'];
const ODD_TRAILERS = [
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  ' folded\r\n',
  'X-A: b\n',
  'X-A : b\r\n',
];
/** What a byte, or a few, are replaced by. */
const EDITS = [
  '',
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  ' ',
  '\t',
  '\0',
  '\x7f',
  '\x80',
  '\xff',
  ':',
  ';',
  ',',
  '0',
  '1',
  '9',
  'a',
  'g',
  '-',
  '+',
  '"',
  'Content-Length: 1\r\n',
  'Transfer-Encoding: chunked\r\n',
  'HTTP/1.1 ',
  '0\r\n\r\n',
];

/** With `%d` for the length of the body, where there is one. */
const ODD_LENGTHS = [
  'Content-Length: %d\r\nContent-Length: %d',
  'Content-Length: %d, %d',
  'Content-Length: +%d',
  'Content-Length: 0x%d',
  'Content-Length:%d\t',
  'Content-Length: 00%d',
  'Content-Length: %d.0',
  'Content-Length: %d\r\nTransfer-Encoding: chunked',
];
const ODD_CODINGS = [
  'Transfer-Encoding: chunked\t',
  'Transfer-Encoding:\tchunked ',
  'Transfer-Encoding: CHUNKED',
  'Transfer-Encoding: chunked;a',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: \xa0chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 3',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: "chunked"',
];
const ODD_EOLS = ['\n', '\r', '', 'x', 'x\n', '\rx', '\r\r\n', '\r\n\r\n'];

function mostly(usual: readonly string[], odd: readonly string[]): Arbitrary<string> {
  const usually = { weight: 12, arbitrary: constantFrom(...usual) };
  return oneof(usually, { weight: 1, arbitrary: constantFrom(...odd) });
}

const body = oneof(
  constant(''),
  string({ unit: 'binary-ascii', maxLength: 40 }),
  constantFrom('\0\xff\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(5_000)),
);

const chunk = record({
  data: body,
  extension: mostly(EXTENSIONS, ODD_EXTENSIONS),
  upper: boolean(),
  eol: mostly(['\r\n'], ODD_EOLS),
});

/** The framing, and the body as it is framed. */
const framed: Arbitrary<string> = oneof(
  record({ line: mostly(['Content-Length: %d'], ODD_LENGTHS), content: body }).map(
    ({ line, content }) => `${line.replaceAll('%d', String(content.length))}\r\n\r\n${content}`,
  ),
  record({
    line: mostly(['Transfer-Encoding: chunked'], ODD_CODINGS),
    chunks: array(chunk, { maxLength: 3 }),
    last: mostly(['0', '000'], ['', '00x', '-0']),
    extension: mostly(EXTENSIONS, ODD_EXTENSIONS),
    trailers: mostly(TRAILERS, ODD_TRAILERS),
    end: mostly(['\r\n'], ODD_EOLS),
  }).map(
    ({ line, chunks, last, extension, trailers, end }) =>
      `${line}\r\n\r\n${chunks.map(chunkText).join('')}${last}${extension}\r\n${trailers}${end}`,
  ),
  body.map((content) => `\r\n${content}`),
);

/** An answer that is out of order in one of its lines at most, mostly. */
export const answers: Arbitrary<Answered> = record({
  isHead: oneof({ weight: 5, arbitrary: constant(false) }, { weight: 1, arbitrary: constant(true) }),
  text: record({
    interim: constantFrom(...INTERIM),
    version: mostly(['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'], ODD_VERSIONS),
    status: mostly(STATUSES, ODD_STATUSES),
    fields: array(mostly(FIELDS, ODD_FIELDS), { maxLength: 4 }),
    rest: framed,
  }).map(
    ({ interim, version, status, fields, rest }) =>
      `${interim}${version} ${status}\r\n${fields.map((field) => `${field}\r\n`).join('')}${rest}`,
  ),
});

/** Answers with single bytes changed. */
export const mutatedAnswers: Arbitrary<Answered> = record({
  answer: answers,
  edits: array(record({ at: nat(1_000), remove: nat(2), insert: constantFrom(...EDITS) }), { maxLength: 2 }),
}).map(({ answer, edits }) => ({
  ...answer,
  text: edits.reduce((text, { at, remove, insert }) => {
    // Where heads and sizes stand, and not in the middle of a long body.
    const from = Math.floor((at / 1_000) * Math.min(text.length, 600));
    return text.slice(0, from) + insert + text.slice(from + remove);
  }, answer.text),
}));

function chunkText({
  data,
  extension,
  upper,
  eol,
}: {
  data: string;
  extension: string;
  upper: boolean;
  eol: string;
}): string {
  if (data === '') return '';
  const size = data.length.toString(16);
  return `${upper ? size.toUpperCase() : size}${extension}\r\n${data}${eol}`;
}
