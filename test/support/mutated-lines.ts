/* What a request is made of, and what is put in the place of it: the vocabulary of test/support/mutated-requests.ts. */

/** Where the request goes; the path is replaced by one of its own. */
export const MARK = '/api/MARK';
/** Stands in bodies, chunks and wherever a byte is changed; no upstream may take it for a request. */
export const SMUGGLED = 'GET /api/smuggled HTTP/1.1\r\nHost: a\r\nX-User-Email: eve@x\r\n\r\n';

export const ODD_METHODS = [
  'get',
  'TRACE',
  'CONNECT',
  'PRI',
  'G,T',
  'G T',
  '',
  'GET\0',
  '\r\nGET',
  '\nGET',
  ' GET',
];

export const ODD_TARGETS = [
  `${MARK}?q=/../x&y=%00`,
  `/x/..${MARK}`,
  `/.${MARK}/./b/../c`,
  `${MARK}/%2e`,
  `${MARK}/..%2fadmin`,
  `${MARK}//x%2Fy`,
  `/${MARK}`,
  `${MARK}/..;/x`,
  `${MARK}\\x`,
  `${MARK}%5cx`,
  `${MARK}%00`,
  `${MARK}#x`,
  `${MARK}\u00e9`,
  `${MARK}\x7f`,
  `${MARK} x`,
  `${MARK}\tx`,
  `${MARK}?a b`,
  `http://a${MARK}`,
  `HTTP://A${MARK}?x`,
  `https://a${MARK}`,
  `http://b${MARK}`,
  `http://a@b${MARK}`,
  `http:${MARK}`,
  `//a${MARK}`,
  `..${MARK}`,
  '*',
  'a:80',
  '',
];

export const ODD_VERSIONS = [
  'HTTP/1.0',
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'HTTP/1.1 ',
  'http/1.1',
  'HTTP/1',
  'HTTP/11',
  '',
];

export const ODD_ENDS = ['\n', '\r', '\r\r\n', '\n\r\n', ' \r\n', '\0\r\n', ''];

export const ODD_HOSTS = [
  '',
  'Host: b\r\nHost: a\r\n',
  'Host: a, b\r\n',
  'Host : a\r\n',
  'Host:a\r\n',
  'host:\ta \r\n',
  'Host: a\r\n b\r\n',
  'Host: a/b\r\n',
  'Host:\r\n',
  'Host_: b\r\nHost: a\r\n',
  'Host: a\n',
  'Host: a:80\r\n',
];

/** Whole lines, of which each is in order by itself. */
export const FIELD_LINES = [
  'X-A: 1',
  'X-A: 2',
  'x-a:3',
  'X-B:',
  'X-B: \t v \t',
  'X-Long: ' + 'x'.repeat(2000),
  'X-Text: caf\u00e9',
  'Accept: */*, a/b;q=0.1',
  'Content-Type: text/plain',
  'Cookie: a=1; sessionx=2',
  'Authorization: Bearer of-the-app',
  'Max-Forwards: 7',
  'X-User-Email: eve@x',
  'X-USER-SUB: eve',
  'x_user_email: eve@x',
  'X-User_Name: Eve',
  'X-Gateway-Route: eve',
  'X-Admin-Key: eve',
  'X-Request-Id: eve',
  'X-Forwarded-For: 6.6.6.6',
  'X-Forwarded-Port: 1',
  'Forwarded: for=eve',
  'X-Real-IP: 6.6.6.6',
  'Via: 1.0 fred (eve, 1.1 sluice)',
  'Keep-Alive: timeout=9',
  'Proxy-Connection: keep-alive',
  'Proxy-Authorization: eve',
  'TE: trailers',
  'TE: gzip, trailers;q=0.5',
  'Trailer: X-A',
  'Expect: 100-continue',
  'Upgrade: h2c',
  'HTTP2-Settings: AAMAAABkAAQAAP__',
  'Connection: keep-alive',
  'Connection: X-A',
  'Connection: close, x-b , X-User-Email',
  'Connection: Host, Content-Length, Transfer-Encoding, Cookie',
  'Connection: , TE',
  'Connection: Upgrade, HTTP2-Settings',
  'Transfer_Encoding: chunked',
  'Content_Length: 5',
  'Content-Length_: 5',
];

export const BROKEN_LINES = [
  ' X-A: folded',
  'X-A : 1',
  'X-A\t: 1',
  'X A: 1',
  'X-A',
  ': 1',
  'X-A: a\0b',
  'X-A: a\rb',
  'X-A: a\r\n\tfolded',
  'X-A: a\nX-B: b',
  'X-A: a\rContent-Length: 5',
  'X-A: \x01',
  'X-A: \x7f',
  'X-\u00e9: 1',
  'X(A): 1',
  'X-A: 1\r',
  `X-A: ${'x'.repeat(17_000)}`,
  'Expect: 200-ok',
  '\r\nX-A: 1',
];

/** Values of `Content-Length`; `%d` is the right one. */
export const LENGTHS = [
  '+%d',
  '-%d',
  '%d %d',
  '%d, %d',
  '0x%d',
  '%d.0',
  '00%d',
  '\t%d\t',
  '',
  '9',
  '18446744073709551621',
  '9007199254740993',
  '%d\r\nContent-Length: %d',
  '%d\r\nContent-Length: 0',
  '%d;',
  '"%d"',
  '%de0',
];

/**
 * Values of `Transfer-Encoding`. Not among them is `chunked` with a tab behind it: beside an upgrade that is ignored, Node
 * takes such a request to have no body (docs/http.md).
 */
export const CODINGS = [
  'chunked, chunked',
  'gzip, chunked',
  'chunked, identity',
  'identity',
  'xchunked',
  'chunked;x',
  '"chunked"',
  '\vchunked',
  ' chunked',
  'CHUNKED',
  'chunked\r\nTransfer-Encoding: x',
  'chunked\r\nTransfer-Encoding: chunked',
  'chunked\r\n ',
  '',
];

export const ODD_LENGTH_LINES = [
  '',
  'Content-Length : %d\r\n',
  'Content-Length\r\n: %d\r\n',
  'Transfer-Encoding: identity\r\nContent-Length: %d\r\n',
];

export const ODD_CODING_LINES = [
  'Transfer-Encoding: chunked\r\nContent-Length: %d\r\n',
  'Content-Length: %d\r\nTransfer-Encoding: chunked\r\n',
  'Content-Length: 0\r\ntransfer-encoding: chunked\r\n',
  'Transfer-Encoding : chunked\r\n',
  'Transfer-Encoding:\r\n chunked\r\n',
];

export const ODD_EXTENSIONS = [
  ';a',
  ';a=b',
  ';a="b;c"',
  ' ;a',
  ';',
  ' ',
  '\t',
  ';a\n',
  ';\r',
  `;${'x'.repeat(300)}`,
  '\0',
];

export const ODD_TRAILERS = [
  'X-A: 1\r\n',
  'X-User-Email: eve@x\r\n',
  'Content-Length: 9\r\n',
  'X-A : 1\r\n',
  ' x\r\n',
  'x\r\n',
  'X-A: 1\n',
  SMUGGLED,
];
