import type { Readable } from 'node:stream';
import type { ResponseHead } from './response-head.js';
import { UpstreamFault } from './upstream-fault.js';

/** What is asked of an upstream. */
export interface RequestParts {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Name, value, name, value …; names are tokens, values are looked at. */
  readonly headers: readonly string[];
  /** Null where there is none. Without a `Content-Length` among the headers it goes out in chunks. */
  readonly body: Readable | null;
  /** From the end of the request to the head of the final answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether it must not go over a connection that has served before: such a one may be about to close. */
  readonly fresh?: boolean;
}

/** The exchange that a connection is busy with, as its handler steers it. All of it is void once the exchange is over. */
export interface ExchangeControl {
  /** Reads no further until {@link resume}. */
  pause(handler: UpstreamHandler): void;
  resume(handler: UpstreamHandler): void;
  /** Ends the exchange, and the connection with it. The handler hears no more. */
  abort(handler: UpstreamHandler): void;
}

/** Who is told what becomes of a request; after `onResponseEnd` or `onResponseError` nothing more. */
export interface UpstreamHandler {
  /** The connection stands, and the request is sent next unless it is aborted now. */
  onRequestStart(control: ExchangeControl): void;
  /** Once for each interim answer (1xx), and once for the final one. */
  onResponseStart(head: ResponseHead): void;
  /** @param bytes valid during the call only */
  onResponseData(bytes: Buffer): void;
  /** @param trailers name, value, name, value … */
  onResponseEnd(trailers: readonly string[]): void;
  /** The system's own error, an {@link UpstreamFault}, or what another of these methods threw. */
  onResponseError(cause: unknown): void;
}

const PATH = /^[\x21-\x7e\x80-\xff]+$/;
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Methods of which a body is expected: without one they say so, since some servers refuse them otherwise. */
const HAS_CONTENT: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/**
 * A request as it goes over the wire: its line and header block are written down once, before any connection is touched
 * (RFC 9112 §2.1).
 */
export class UpstreamRequest {
  readonly method: string;
  readonly body: Readable | null;
  readonly timeoutMs: number;
  /** Request line and header block, with the empty line behind them, in latin1. */
  readonly head: string;
  /** Whether the body goes out in chunks. */
  readonly chunked: boolean;

  /**
   * @param authority the upstream's own, for a request that names no host: HTTP/1.0 may do so, and this is HTTP/1.1
   * @throws UpstreamFault UPSTREAM_NOT_SENDABLE where the path or a value would end its line
   */
  constructor({ method, path, headers, body, timeoutMs }: RequestParts, authority: string) {
    this.method = method;
    this.body = body;
    this.timeoutMs = timeoutMs;
    if (!PATH.test(path)) throw notSendable('The path has characters that no path can have');
    let head = `${method} ${path} HTTP/1.1\r\n`;
    let saysLength = false;
    let saysHost = false;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] ?? '';
      const value = headers[i + 1] ?? '';
      if (NOT_IN_VALUE.test(value)) throw notSendable(`${name} has characters that no header can have`);
      head += `${name}: ${value}\r\n`;
      if (name.length === 14 && name.toLowerCase() === 'content-length') saysLength = true;
      else if (name.length === 4 && name.toLowerCase() === 'host') saysHost = true;
      // It concerns this connection alone, and says so (RFC 9110 §10.1.4).
      else if (name.length === 2 && name.toLowerCase() === 'te') head += 'connection: TE\r\n';
    }
    if (!saysHost) head += `host: ${authority}\r\n`;
    this.chunked = body !== null && !saysLength;
    if (this.chunked) head += 'transfer-encoding: chunked\r\n';
    else if (!saysLength && HAS_CONTENT.has(method)) head += 'content-length: 0\r\n';
    this.head = `${head}\r\n`;
  }
}

function notSendable(message: string): UpstreamFault {
  return new UpstreamFault('UPSTREAM_NOT_SENDABLE', message);
}
