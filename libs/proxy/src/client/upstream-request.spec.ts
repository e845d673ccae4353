import { describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { UpstreamRequest, type RequestParts } from './upstream-request.js';

function headOf(parts: Partial<RequestParts> = {}): string {
  return requestOf(parts).head;
}

function requestOf(parts: Partial<RequestParts>): UpstreamRequest {
  const usual = { method: 'GET', path: '/', headers: ['Host', 'a'], body: null, timeoutMs: 1 };
  return new UpstreamRequest({ ...usual, ...parts }, 'upstream:81');
}

const body = (): Readable => Readable.from([]);

describe('A request', () => {
  it('is its line, its headers in their order and spelling, and an empty line', () => {
    const headers = ['Host', 'a', 'x-B', '1', 'X-b', '2', 'X-Empty', ''];
    expect(headOf({ path: '/x?y=z', headers })).toBe(
      'GET /x?y=z HTTP/1.1\r\nHost: a\r\nx-B: 1\r\nX-b: 2\r\nX-Empty: \r\n\r\n',
    );
  });

  it('names the upstream where it names no host, as HTTP/1.0 may', () => {
    expect(headOf({ headers: ['X-Host', 'a'] })).toBe(
      'GET / HTTP/1.1\r\nX-Host: a\r\nhost: upstream:81\r\n\r\n',
    );
    expect(headOf({ headers: ['HOST', 'b'] })).toBe('GET / HTTP/1.1\r\nHOST: b\r\n\r\n');
  });

  it.each([
    ['a line end', '/a\r\nX: y'],
    ['a CR', '/a\rb'],
    ['an LF', '/a\nb'],
    ['a space, which would end it', '/a HTTP/1.1'],
    ['a tab', '/a\tb'],
    ['a NUL', '/a\0b'],
    ['a DEL', '/a\x7fb'],
    ['a character that is no byte', '/a\u{10d}b'],
    ['a character whose low byte is LF', '/a\u{10a}X: y'],
    ['nothing', ''],
  ])('is not sent with %s in its path', (_what, path) => {
    expect(() => requestOf({ path })).toThrow(expect.objectContaining({ code: 'UPSTREAM_NOT_SENDABLE' }));
  });

  it.each([
    ['a line end', 'a\r\nX: y'],
    ['a CR', 'a\rb'],
    ['an LF', 'a\nb'],
    ['a NUL', 'a\0b'],
    ['a DEL', 'a\x7fb'],
    ['another control character', 'a\x0bb'],
    ['a character that is no byte', 'a\u{20ac}b'],
    ['characters whose low bytes are a line end', 'a\u{10d}\u{10a}X: y'],
  ])('is not sent with %s in a value', (_what, value) => {
    expect(() => requestOf({ headers: ['Host', 'a', 'X-A', value] })).toThrow(
      expect.objectContaining({ code: 'UPSTREAM_NOT_SENDABLE', message: expect.not.stringContaining('y') }),
    );
  });

  it('may have every byte that HTTP allows in path and values', () => {
    expect(headOf({ path: '/\xe4!~', headers: ['Host', 'a', 'X', '\t \xa0\xff~'] })).toContain(
      'X: \t \xa0\xff~\r\n',
    );
  });
});

describe('The framing of a request', () => {
  it.each([
    ['a GET without a body has none', { method: 'GET' }, false, ''],
    ['a DELETE without a body has none', { method: 'DELETE' }, false, ''],
    ['a POST without a body says so', { method: 'POST' }, false, 'content-length: 0\r\n'],
    ['a PUT without a body says so', { method: 'PUT' }, false, 'content-length: 0\r\n'],
    ['a PATCH without a body says so', { method: 'PATCH' }, false, 'content-length: 0\r\n'],
    [
      'a length of 0 is not said twice',
      { method: 'POST', headers: ['CONTENT-LENGTH', '0'] },
      false,
      'CONTENT-LENGTH: 0\r\n',
    ],
    [
      'a body of a length keeps it',
      { body: body(), headers: ['Content-Length', '3'] },
      false,
      'Content-Length: 3\r\n',
    ],
    ['a body without one goes in chunks', { body: body() }, true, 'transfer-encoding: chunked\r\n'],
    ['whatever the method', { method: 'POST', body: body() }, true, 'transfer-encoding: chunked\r\n'],
  ])('%s', (_what, parts: Partial<RequestParts>, chunked, lines) => {
    const request = requestOf({ ...parts, headers: ['Host', 'a', ...(parts.headers ?? [])] });
    expect(request.chunked).toBe(chunked);
    expect(request.head.split('\r\n').slice(1).join('\r\n')).toBe(`Host: a\r\n${lines}\r\n`);
  });
});

describe('TE', () => {
  it('is named in Connection, which it concerns', () => {
    expect(headOf({ headers: ['Host', 'a', 'Te', 'trailers'] })).toBe(
      'GET / HTTP/1.1\r\nHost: a\r\nTe: trailers\r\nconnection: TE\r\n\r\n',
    );
  });

  it('is named nowhere where there is none', () => {
    expect(headOf({ headers: ['Host', 'a', 'X-Te', 'trailers'] })).not.toContain('connection');
  });
});
