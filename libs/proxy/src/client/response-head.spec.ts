import { describe, expect, it } from '@jest/globals';
import { readResponseHead, readTrailers } from './response-head.js';

const OK = 'HTTP/1.1 200 OK\r\n';

/** The fields of a head that has these lines. */
function fieldsOf(lines: string): readonly string[] {
  return readResponseHead(OK + lines).lines;
}

describe('A status line', () => {
  it.each([
    ['as all the world writes it', 'HTTP/1.1 200 OK\r\n', 200],
    ['without a reason', 'HTTP/1.1 204 \r\n', 204],
    ['without even the space before one', 'HTTP/1.1 204\r\n', 204],
    ['with a reason of bytes above ASCII', 'HTTP/1.1 404 Nicht gef\xfcnden\r\n', 404],
    ['of a status without a name', 'HTTP/1.1 999 x\r\n', 999],
    ['of HTTP/1.0', 'HTTP/1.0 301 Moved\r\n', 301],
    ['of an interim answer', 'HTTP/1.1 103 Early Hints\r\n', 103],
  ])('is read %s', (_what, text, status) => {
    expect(readResponseHead(text)).toMatchObject({ status, lines: [] });
  });

  it.each([
    ['nothing', ''],
    ['another protocol', 'SSH-2.0-OpenSSH\r\n'],
    ['HTTP/0.9', 'HTTP/0.9 200 OK\r\n'],
    ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n'],
    ['HTTP/2', 'HTTP/2 200 OK\r\n'],
    ['HTTP/2.0', 'HTTP/2.0 200 OK\r\n'],
    ['a name in lower case', 'http/1.1 200 OK\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n'],
    ['two spaces', 'HTTP/1.1  200 OK\r\n'],
    ['a tab', 'HTTP/1.1\t200 OK\r\n'],
    ['a space in front', ' HTTP/1.1 200 OK\r\n'],
    ['an empty line in front', '\r\nHTTP/1.1 200 OK\r\n'],
    ['no line end', 'HTTP/1.1 200 OK'],
    ['a bare LF', 'HTTP/1.1 200 OK\n'],
    ['a bare CR in the reason', 'HTTP/1.1 200 O\rK\r\n'],
    ['a NUL in the reason', 'HTTP/1.1 200 O\0K\r\n'],
    ['a DEL in the reason', 'HTTP/1.1 200 O\x7fK\r\n'],
  ])('is refused with %s', (_what, text) => {
    expect(() => readResponseHead(text)).toThrow('malformed');
  });
});

describe('A field', () => {
  it.each([
    ['with one space', 'X-A: b\r\n', 'b'],
    ['without a space', 'X-A:b\r\n', 'b'],
    ['with blanks on both sides', 'X-A: \t b \t\r\n', 'b'],
    ['with blanks within', 'X-A: b \t c\r\n', 'b \t c'],
    ['of no value', 'X-A:\r\n', ''],
    ['of a space', 'X-A: \r\n', ''],
    ['of blanks alone', 'X-A: \t \r\n', ''],
    ['with a colon in its value', 'X-A: b: c\r\n', 'b: c'],
    // Which `trim()` would take for a blank.
    ['that begins and ends with 0xA0', 'X-A: \xa0b\xa0\r\n', '\xa0b\xa0'],
    ['that has 0xA0 within the blanks', 'X-A: \t\xa0b\xa0 \r\n', '\xa0b\xa0'],
    ['of every byte that may be in a value', `X-A: !\x20~\x80\xff\r\n`, '!\x20~\x80\xff'],
  ])('is read %s', (_what, line, value) => {
    expect(fieldsOf(line)).toEqual(['x-a', value]);
  });

  it.each([
    ['of every character a name can have', "!#$%&'*+-.^_`|~09azAZ: b\r\n", "!#$%&'*+-.^_`|~09azaz"],
    ['of one character', 'A: b\r\n', 'a'],
  ])('has a name %s, in lower case', (_what, line, name) => {
    expect(fieldsOf(line)).toEqual([name, 'b']);
  });

  it('keeps its place among the others, and those of its name', () => {
    expect(fieldsOf('B: 1\r\nA: 2\r\nb: 3\r\n')).toEqual(['b', '1', 'a', '2', 'b', '3']);
  });

  it.each([
    ['a space before the colon', 'X-A : b\r\n'],
    ['a tab before the colon', 'X-A\t: b\r\n'],
    ['no name', ': b\r\n'],
    ['no colon', 'X-A\r\n'],
    ['a space in its name', 'X A: b\r\n'],
    ['a byte above ASCII in its name', 'X-\xe4: b\r\n'],
    ['a NUL in its name', 'X-\0A: b\r\n'],
    ['brackets in its name', 'X[A]: b\r\n'],
    ['obsolete folding by a space', 'X-A: b\r\n c\r\n'],
    ['obsolete folding by a tab', 'X-A: b\r\n\tc\r\n'],
    ['folding of the status line', ' X-A: b\r\n'],
    ['a bare CR in its value', 'X-A: b\rc\r\n'],
    ['a CR at the end of its value', 'X-A: b\r\r\n'],
    ['a bare LF in its value', 'X-A: b\nX-B: c\r\n'],
    ['a bare LF behind it', 'X-A: b\n'],
    ['no line end', 'X-A: b'],
    ['an empty line before it', '\r\nX-A: b\r\n'],
    ...[0x00, 0x01, 0x08, 0x0b, 0x0c, 0x1b, 0x1f, 0x7f].map((code): [string, string] => [
      `the control character ${code}`,
      `X-A: b${String.fromCharCode(code)}c\r\n`,
    ]),
  ])('is refused with %s', (_what, lines) => {
    expect(() => fieldsOf(lines)).toThrow('malformed');
  });

  it('is refused as fast as it is read, however long it is', () => {
    const long = `X-A: ${' \t'.repeat(8_000)}\x01\r\n`;
    const from = performance.now();
    expect(() => fieldsOf(long)).toThrow('malformed');
    expect(fieldsOf(`X-A: b${' \t'.repeat(8_000)}c\r\n`)).toHaveLength(2);
    expect(performance.now() - from).toBeLessThan(1_000);
  });
});

describe('The framing of an answer', () => {
  it.each([
    ['none', '', Number.NaN, false],
    ['a length', 'Content-Length: 12\r\n', 12, false],
    ['a length of nothing', 'content-length:0\r\n', 0, false],
    ['a length with zeros in front', 'Content-Length: 007\r\n', 7, false],
    ['the greatest length', 'Content-Length: 999999999999999\r\n', 999_999_999_999_999, false],
    ['chunks', 'Transfer-Encoding: chunked\r\n', Number.NaN, true],
    ['chunks in capitals', 'TRANSFER-ENCODING: CHUNKED\r\n', Number.NaN, true],
  ])('is read: %s', (_what, lines, contentLength, chunked) => {
    expect(readResponseHead(OK + lines)).toMatchObject({ contentLength, chunked });
  });

  it.each([
    ['two lengths that differ', 'Content-Length: 2\r\nContent-Length: 3\r\n'],
    ['two lengths that agree', 'Content-Length: 2\r\nContent-Length: 2\r\n'],
    ['a list of lengths', 'Content-Length: 2, 2\r\n'],
    ['an empty length', 'Content-Length:\r\n'],
    ['a negative length', 'Content-Length: -1\r\n'],
    ['a length with a sign', 'Content-Length: +1\r\n'],
    ['a length with a fraction', 'Content-Length: 1.0\r\n'],
    ['a length with an exponent', 'Content-Length: 1e2\r\n'],
    ['a hexadecimal length', 'Content-Length: 0x10\r\n'],
    ['a length with a blank within', 'Content-Length: 1 2\r\n'],
    ['a length that is not exact as a number', 'Content-Length: 9007199254740993\r\n'],
    ['a length in other digits', 'Content-Length: \xb2\r\n'],
    ['a length and chunks', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n'],
    ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 2\r\n'],
    ['chunks twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'],
    ['a list of chunked', 'Transfer-Encoding: chunked, chunked\r\n'],
    ['another coding before', 'Transfer-Encoding: gzip, chunked\r\n'],
    ['another coding behind', 'Transfer-Encoding: chunked, gzip\r\n'],
    ['another coding', 'Transfer-Encoding: gzip\r\n'],
    ['no coding', 'Transfer-Encoding:\r\n'],
    ['identity', 'Transfer-Encoding: identity\r\n'],
    ['chunked with a parameter', 'Transfer-Encoding: chunked;q=1\r\n'],
    ['chunked in quotes', 'Transfer-Encoding: "chunked"\r\n'],
    ['chunked behind 0xA0', 'Transfer-Encoding: \xa0chunked\r\n'],
    ['chunked before a tab, which Node does not know again', 'Transfer-Encoding: chunked\t\r\n'],
  ])('is refused: %s', (_what, lines) => {
    expect(() => readResponseHead(OK + lines)).toThrow(/ambiguous|chunked|exclude/);
  });

  it('knows no chunks in HTTP/1.0', () => {
    const lines = 'Transfer-Encoding: chunked\r\n';
    expect(() => readResponseHead(`HTTP/1.0 200 OK\r\n${lines}`)).toThrow('HTTP/1.0 has no');
  });

  it('is not that of a field with a longer name', () => {
    const lines = 'X-Content-Length: 2\r\nContent-Lengths: 3\r\nXtransfer-Encoding: x\r\n';
    expect(readResponseHead(OK + lines)).toMatchObject({ contentLength: Number.NaN, chunked: false });
  });
});

describe('The connection', () => {
  it.each([
    ['HTTP/1.1', '', true],
    ['HTTP/1.1', 'Connection: close\r\n', false],
    ['HTTP/1.1', 'Connection: CLOSE\r\n', false],
    ['HTTP/1.1', 'Connection: x ,\tclose\r\n', false],
    ['HTTP/1.1', 'Connection: x\r\nConnection: close\r\n', false],
    ['HTTP/1.1', 'Connection: close, Keep-Alive\r\n', false],
    ['HTTP/1.1', 'Connection: Keep-Alive, close\r\n', false],
    ['HTTP/1.1', 'Connection: keep-alive\r\nConnection: close\r\n', false],
    ['HTTP/1.1', 'Connection: keep-alive\r\n', true],
    ['HTTP/1.1', 'Connection: closed\r\n', true],
    ['HTTP/1.1', 'Connection:\r\n', true],
    ['HTTP/1.0', '', false],
    ['HTTP/1.0', 'Connection: Keep-Alive\r\n', true],
    ['HTTP/1.0', 'Connection: x, keep-alive\r\n', true],
    ['HTTP/1.0', 'Connection: keep-alive, close\r\n', false],
    ['HTTP/1.0', 'Keep-Alive: timeout=5\r\n', false],
  ])('of %s with %j is kept: %s', (version, lines, persistent) => {
    expect(readResponseHead(`${version} 200 OK\r\n${lines}`).persistent).toBe(persistent);
  });

  it.each([
    ['', Number.NaN],
    ['Keep-Alive: timeout=5\r\n', 5],
    ['Keep-Alive: TIMEOUT=5, max=100\r\n', 5],
    ['Keep-Alive: max=100, timeout=5\r\n', 5],
    ['Keep-Alive: max=100,timeout=0\r\n', 0],
    ['Keep-Alive: 5\r\n', Number.NaN],
    ['Keep-Alive: timeout=-1\r\n', Number.NaN],
    ['Keep-Alive: timeout=\r\n', Number.NaN],
    ['Keep-Alive: xtimeout=5\r\n', Number.NaN],
  ])('with %j stays for so many seconds: %d', (lines, seconds) => {
    expect(readResponseHead(OK + lines).keepAliveSeconds).toBe(seconds);
  });
});

describe('Trailers', () => {
  it('are read as the fields of a head are', () => {
    expect(readTrailers('X-Sum: 1 \r\nB:2\r\n')).toEqual(['x-sum', '1', 'b', '2']);
  });

  it.each([
    ['a second status line', 'HTTP/1.1 200 OK\r\n'],
    ['folding', 'X-A: b\r\n c\r\n'],
    ['a bare LF', 'X-A: b\nX-B: c\r\n'],
    ['a length', 'Content-Length: 5\r\n'],
    ['a coding', 'Transfer-Encoding: chunked\r\n'],
  ])('are refused with %s', (_what, text) => {
    expect(() => readTrailers(text)).toThrow();
  });
});
