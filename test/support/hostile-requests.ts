/* Requests, byte for byte, that two servers in a row may read in two ways (RFC 9112 §11.2), and some that look so. */

/** Status and code of the refusal, what it is, the bytes. */
export type Refused = readonly [status: number, code: string, what: string, text: string];
/** What it is, the bytes, method and URL as the upstream gets them. */
export type Accepted = readonly [what: string, text: string, arrives: string];

const HOST = 'Host: a\r\n';
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';

/** A GET of this target, with these lines. */
export function get(target: string, lines = HOST): string {
  return `GET ${target} HTTP/1.1\r\n${lines}\r\n`;
}

/** The same in HTTP/1.0. */
function get10(target: string, lines: string): string {
  return get(target, lines).replace('HTTP/1.1', 'HTTP/1.0');
}

/** A POST with these lines and this body. */
export function post(lines: string, body: string, version = 'HTTP/1.1'): string {
  return `POST /api/x ${version}\r\n${HOST}${lines}\r\n${body}`;
}

function chunked(body: string): string {
  return post('Transfer-Encoding: chunked\r\n', body);
}

function upgrade(lines: string, body = '', method = 'GET'): string {
  return `${method} /api/x HTTP/1.1\r\n${HOST}${UPGRADE}${lines}\r\n${body}`;
}

const bad = (what: string, text: string): Refused => [400, 'BAD_REQUEST', what, text];
const shown = (value: string): string => JSON.stringify(value).slice(1, -1);

const LENGTHS = [
  '+4',
  '-4',
  '4, 4',
  '4,5',
  '4 4',
  '0x4',
  '4.0',
  '',
  '\v4',
  '4\0',
  '18446744073709551620',
  '9007199254740993',
];
const CODINGS = [
  'chunked, chunked',
  'chunked,',
  ',chunked',
  'gzip, chunked',
  'chunked, gzip',
  'chunked, identity',
  'identity',
  'gzip',
  'xchunked',
  'chunkedx',
  '"chunked"',
  'chunked;a=b',
  '\vchunked',
  'chunked \t',
  '\u00a0chunked',
  '',
];

/** Where the request ends is in doubt, so that nothing behind it may be taken for one: the connection is closed. */
export const WITHOUT_A_SURE_END: readonly Refused[] = [
  bad(
    'a Content-Length and a Transfer-Encoding',
    post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  ),
  bad(
    'a Transfer-Encoding and a Content-Length',
    post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', '0\r\n\r\n'),
  ),
  bad('two Content-Lengths that differ', post('Content-Length: 4\r\nContent-Length: 5\r\n', 'abcde')),
  bad('two Content-Lengths that agree', post('Content-Length: 4\r\nContent-Length: 4\r\n', 'abcd')),
  ...LENGTHS.map((value) =>
    bad(`Content-Length: ${shown(value)}`, post(`Content-Length: ${value}\r\n`, 'abcd')),
  ),
  ...CODINGS.map((value) =>
    bad(`Transfer-Encoding: ${shown(value)}`, post(`Transfer-Encoding: ${value}\r\n`, '0\r\n\r\n')),
  ),
  bad(
    'two Transfer-Encodings',
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  ),
  bad('two that differ', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n')),
  bad('Transfer-Encoding in HTTP/1.0', post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n', 'HTTP/1.0')),
  bad(
    'Transfer-Encoding in an HTTP/1.0 that is kept alive',
    post('Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n', 'HTTP/1.0'),
  ),
  bad('a space before the colon', post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n')),
  bad('a space before the first header', get('/api/x', ` X-A: b\r\n${HOST}`)),
  bad('obsolete folding', get('/api/x', `X-A: b\r\n c\r\n${HOST}`)),
  bad('obsolete folding of a Transfer-Encoding', post('Transfer-Encoding:\r\n\tchunked\r\n', '0\r\n\r\n')),
  bad('bare LF behind the request line', `GET /api/x HTTP/1.1\n${HOST}\r\n`),
  bad('bare LF behind a header', get('/api/x', `X-A: b\n${HOST}`)),
  bad('bare LF behind the header block', `GET /api/x HTTP/1.1\r\n${HOST}\n`),
  bad('bare CR in a value', get('/api/x', `X-A: b\rX-B: c\r\n${HOST}`)),
  bad('bare CR behind the request line', `GET /api/x HTTP/1.1\r${HOST}\r\n`),
  bad('a NUL in a value', get('/api/x', `X-A: b\0c\r\n${HOST}`)),
  bad('a NUL in a name', get('/api/x', `X\0A: b\r\n${HOST}`)),
  bad('a control character in a value', get('/api/x', `X-A: b\u0001c\r\n${HOST}`)),
  bad('a header without a colon', get('/api/x', `X-A\r\n${HOST}`)),
  bad('a header without a name', get('/api/x', `: b\r\n${HOST}`)),
  bad('bare LF behind a chunk size', chunked('2\nab\r\n0\r\n\r\n')),
  bad('bare LF behind a chunk', chunked('2\r\nab\n0\r\n\r\n')),
  bad('bare LF behind the last chunk', chunked('2\r\nab\r\n0\n\r\n')),
  bad('bare LF at the end', chunked('2\r\nab\r\n0\r\n\n')),
  bad('bare LF in a chunk extension', chunked('2;a\nb\r\nab\r\n0\r\n\r\n')),
  bad('a chunk size beyond 64 bits', chunked('10000000000000002\r\nab\r\n0\r\n\r\n')),
  bad('a negative chunk size', chunked('-2\r\nab\r\n0\r\n\r\n')),
  bad('a chunk size with 0x', chunked('0x2\r\nab\r\n0\r\n\r\n')),
  bad('a chunk size with a space', chunked('2 \r\nab\r\n0\r\n\r\n')),
  bad('a chunk without a size', chunked('\r\nab\r\n0\r\n\r\n')),
  bad('a chunk longer than its size', chunked('1\r\nab\r\n0\r\n\r\n')),
  bad('a chunk extension of 20 KB', chunked(`2;${'x'.repeat(20_000)}\r\nab\r\n0\r\n\r\n`)),
  bad(
    'framing in trailers',
    chunked('2\r\nab\r\n0\r\nContent-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n'),
  ),
  [431, 'HEADERS_TOO_LARGE', 'trailers of 40 KB', chunked(`0\r\nX-A: ${'x'.repeat(40_000)}\r\n\r\n`)],
  bad('HTTP/0.9', 'GET /api/x\r\n'),
  bad('HTTP/0.9 by name', 'GET /api/x HTTP/0.9\r\n\r\n'),
  bad('HTTP/1.2', `GET /api/x HTTP/1.2\r\n${HOST}\r\n`),
  bad('HTTP/2.0', `GET /api/x HTTP/2.0\r\n${HOST}\r\n`),
  bad('HTTP/2.0 that is kept alive', `GET /api/x HTTP/2.0\r\n${HOST}Connection: keep-alive\r\n\r\n`),
  bad('HTTP/0.9 that is kept alive', `GET /api/x HTTP/0.9\r\n${HOST}Connection: keep-alive\r\n\r\n`),
  bad('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  bad('an unknown method', `TRACK /api/x HTTP/1.1\r\n${HOST}\r\n`),
  bad('a method in lower case', `get /api/x HTTP/1.1\r\n${HOST}\r\n`),
  bad('a space in the target', get('/api/x y')),
  bad('a tab behind the method', `GET\t/api/x HTTP/1.1\r\n${HOST}\r\n`),
  bad('the authority form', get('a:80')),
  bad('the absolute form, with a backslash', get('http://a\\@b/api/x')),
  bad('overlong UTF-8 that is not even encoded', get('/api/\u00c0\u00ae\u00c0\u00ae/admin')),
  [501, 'METHOD_NOT_IMPLEMENTED', 'CONNECT', `CONNECT a:80 HTTP/1.1\r\n${HOST}\r\n`],
  [501, 'METHOD_NOT_IMPLEMENTED', 'CONNECT of a path', `CONNECT /api/x HTTP/1.1\r\n${HOST}\r\n`],
  [
    417,
    'EXPECTATION_FAILED',
    'two expectations',
    post('Expect: 100-continue, x\r\nContent-Length: 2\r\n', 'hi'),
  ],
  [
    431,
    'HEADERS_TOO_LARGE',
    'a header block over 64 KB',
    get('/api/x', `${HOST}X-A: ${'x'.repeat(64 * 1024)}\r\n`),
  ],
  [431, 'HEADERS_TOO_LARGE', 'more than 1,000 headers', get('/api/x', `${HOST}${'A:\r\n'.repeat(1_001)}`)],
  bad('an upgrade by POST', upgrade('', '', 'POST')),
  bad('an upgrade with a body', upgrade('Content-Length: 4\r\n', 'abcd')),
  bad('an upgrade with a body in chunks', upgrade('Transfer-Encoding: chunked\r\n', '0\r\n\r\n')),
  bad('an upgrade of two Hosts', upgrade('Host: b\r\n')),
  bad('an upgrade at a hidden path', upgrade('').replace('/api/x', '/api/%2e%2e/admin')),
];

const HOSTS = [
  '',
  'a/b',
  'a@b',
  'a, b',
  'a b',
  'a:b',
  'a:123456',
  'a:',
  'a#',
  'a?',
  'a\\b',
  'a%2fb',
  '"a"',
  '[::1',
  '\u00e4',
];
const PATHS = [
  '/api/%00',
  '/api/x%00.png',
  '/api/.%00./admin',
  '/api/%2e%2e/admin',
  '/api/.%2E/admin',
  '/api/%2e/x',
  '/api/..%2fadmin',
  '/api/%2f../admin',
  '/api%2f..%2fadmin',
  '/api%2fx',
  '/%2fapi/x',
  '//api/x',
  '/api/..;/admin',
  '/api/..;x=1/admin',
  '/api/%2e%2e;/admin',
  '/api\\..\\admin',
  '/api/..%5cadmin',
  '/api/x%5C',
  '/api/x#/../admin',
  '/api/x?a#b',
  '/../admin',
  '/api/../../admin',
];

/** Its end is sure, so the next request on the connection is none of this one's business. */
export const WITH_A_SURE_END: readonly Refused[] = [
  bad('no Host', get('/api/x', '')),
  ...HOSTS.map((host) => bad(`Host: ${shown(host)}`, get('/api/x', `Host: ${host}\r\n`))),
  bad('two Hosts', get('/api/x', `${HOST}Host: b\r\n`)),
  bad('two equal Hosts', get('/api/x', `${HOST}${HOST}`)),
  bad('the absolute form of another host', get('http://b/api/x')),
  bad(
    'the absolute form of another host, in HTTP/1.0',
    get10('http://b/api/x', `${HOST}Connection: keep-alive\r\n`),
  ),
  bad('the absolute form of no host, in HTTP/1.0', get10('http:///api/x', 'Connection: keep-alive\r\n')),
  bad('the absolute form of another port', get('http://a:81/api/x')),
  bad('the absolute form with userinfo', get('http://u@a/api/x')),
  bad('the absolute form of another scheme', get('file://a/api/x')),
  bad('an asterisk', get('*')),
  ...PATHS.map((path) => bad(`the path ${path}`, get(path))),
  [501, 'METHOD_NOT_IMPLEMENTED', 'TRACE', `TRACE /api/x HTTP/1.1\r\n${HOST}\r\n`],
  [417, 'EXPECTATION_FAILED', 'an unknown expectation', get('/api/x', `${HOST}Expect: 200-ok\r\n`)],
  [414, 'URI_TOO_LONG', 'a URL over 8 KB', get(`/api/${'x'.repeat(8 * 1024)}`)],
  [414, 'URI_TOO_LONG', 'a query over 8 KB', get(`/api/x?${'x'.repeat(8 * 1024)}`)],
  [
    431,
    'HEADERS_TOO_LARGE',
    'a header block over 16 KB',
    get('/api/x', `${HOST}X-A: ${'x'.repeat(16 * 1024)}\r\n`),
  ],
  [
    431,
    'HEADERS_TOO_LARGE',
    'many headers over 16 KB together',
    get('/api/x', `${HOST}${'X-Header: 12345\r\n'.repeat(980)}`),
  ],
  [404, 'NOT_FOUND', 'the absolute form without a path, which is /', get('http://a')],
  [400, 'BAD_REQUEST', 'a path parameter in the prefix', get('/api;x/y')],
  [404, 'NOT_FOUND', 'another case of the prefix', get('/API/x')],
  [400, 'BAD_REQUEST', 'an encoded prefix', get('/%61pi/x')],
  [400, 'BAD_REQUEST', 'dots with an encoded path parameter', get('/api/..%3b/admin')],
  [404, 'NOT_FOUND', 'dots that leave the prefix', get('/api/../x')],
];

const HIDDEN = 'GET /api/hidden HTTP/1.1\r\nHost: a\r\n\r\n';
const LONG = `/api/${'x'.repeat(8 * 1024 - 5)}`;
/** Tricks on servers that decode twice, or what is no UTF-8. Here they are names like any other. */
const NAMES = [
  '/api/%252e%252e/admin',
  '/api/..%252fadmin',
  '/api/%c0%ae%c0%ae/admin',
  '/api/..%c0%afadmin',
  '/api/%u002e%u002e/admin',
  '/api/notes%3bv=1',
  '/api/.../x',
  '/api/%',
  '/api/%ff',
  '/api//x',
  '/api/group%2Fproject',
];

/** What can be read in one way only. */
export const READ_IN_ONE_WAY: readonly Accepted[] = [
  ['the absolute form of this host', get('http://A/api/x?y=1'), 'GET /api/x?y=1'],
  ['dot segments', get('/api/./a/../b/.'), 'GET /api/b/'],
  ['dot segments that lead to the prefix', get('/health/../api/x'), 'GET /api/x'],
  ['two spaces behind the method', get(' /api/x'), 'GET /api/x'],
  ...NAMES.map((path): Accepted => [`the path ${path}`, get(path), `GET ${path}`]),
  ['a URL of 8 KB', get(LONG), `GET ${LONG}`],
  [
    'a header block just below 16 KB',
    get('/api/x', `${HOST}X-A: ${'x'.repeat(16 * 1024 - 300)}\r\n`),
    'GET /api/x',
  ],
  ['a Content-Length with blanks around', post('Content-Length: \t4 \t\r\n', 'abcd'), 'POST /api/x'],
  ['a Content-Length with zeros in front', post('Content-Length: 0004\r\n', 'abcd'), 'POST /api/x'],
  ['chunks in another case', post('Transfer-Encoding: cHuNkEd\r\n', '4\r\nabcd\r\n0\r\n\r\n'), 'POST /api/x'],
  ['chunks behind a tab', post('Transfer-Encoding:\tchunked\r\n', '4\r\nabcd\r\n0\r\n\r\n'), 'POST /api/x'],
  ['a small chunk extension', chunked('4;a=b\r\nabcd\r\n0\r\n\r\n'), 'POST /api/x'],
  [
    'a field that is no Transfer-Encoding',
    post('Transfer_Encoding: chunked\r\nContent-Length: 4\r\n', 'abcd'),
    'POST /api/x',
  ],
  ['a body that looks like a request', post(`Content-Length: ${HIDDEN.length}\r\n`, HIDDEN), 'POST /api/x'],
  [
    'a body of GET that looks like one',
    get('/api/x', `${HOST}Content-Length: ${HIDDEN.length}\r\n`) + HIDDEN,
    'GET /api/x',
  ],
  [
    'a chunk that looks like one',
    chunked(`${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`),
    'POST /api/x',
  ],
];
