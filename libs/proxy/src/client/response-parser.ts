import { assertNever } from '#common';
import { readResponseHead, readTrailers, type ResponseHead } from './response-head.js';
import { brokenHttp } from './upstream-fault.js';

/** Who is told what a response consists of, in its order. */
export interface ResponseSink {
  /** Once for each interim response (1xx), and once for the final one. */
  onHead(head: ResponseHead): void;
  /** @param bytes of the body; theirs is the memory of the next read, so what is kept has to be copied */
  onBody(bytes: Buffer): void;
  /** @param trailers name, value, name, value …; names in lower case */
  onComplete(trailers: readonly string[]): void;
}

/** Of a header block, and of trailers, in bytes. */
const MAX_HEAD = 16 * 1024;
/** Of the line that says a chunk's size, in bytes; what else stands there is ignored. */
const MAX_SIZE_LINE = 4 * 1024;

/** 52 bits: each such number is exact. Then extensions, which concern one connection (RFC 9112 §7.1.1); no blanks. */
const SIZE_LINE =
  /^([\da-f]{1,13})(?:;[\w!#$%&'*+.^`|~-]+(?:=(?:[\w!#$%&'*+.^`|~-]+|"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?)*$/i;

const LF = 0x0a;
const HEAD_END = Buffer.from('\r\n\r\n');
const NO_TRAILERS: readonly string[] = [];

type State =
  /** Nothing is expected. */
  'idle' | 'head' | 'length' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' | 'until-close';

/**
 * Reads the responses of one HTTP/1.x connection, one after the other, from pieces of any size (RFC 9112 §6). It is
 * stricter than parsers that have to read the whole web: what two readers could understand in two ways is a fault.
 */
export class ResponseParser {
  readonly #sink: ResponseSink;
  #state: State = 'idle';
  #isHead = false;
  /** What is left of the body or of the chunk, in bytes. */
  #left = 0;
  /** A line or a header block that has not arrived whole. */
  #pending: Buffer | null = null;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** Whether no response is under way. */
  get isIdle(): boolean {
    return this.#state === 'idle';
  }

  /** The next bytes are a response. @param isHead to a HEAD request, so that there is no body */
  expect(isHead: boolean): void {
    this.#state = 'head';
    this.#isHead = isHead;
  }

  /**
   * Takes bytes as they come, up to the end of the response.
   * @returns whether all of them belong to it: others are nobody's answer
   * @throws UpstreamFault UPSTREAM_BROKE_HTTP; and what the sink throws
   */
  feed(bytes: Buffer): boolean {
    let whole = bytes;
    if (this.#pending !== null) {
      whole = Buffer.concat([this.#pending, bytes]);
      this.#pending = null;
    }
    let at = 0;
    while (at < whole.length) {
      if (this.#state === 'idle') return false;
      at = this.#step(whole, at);
    }
    return true;
  }

  /** The upstream has closed the connection. @returns whether that ends the response as it should */
  close(): boolean {
    if (this.#state !== 'until-close') return false;
    this.#complete(NO_TRAILERS);
    return true;
  }

  /** @returns up to where it has read */
  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes, at);
      case 'length':
      case 'chunk':
        return this.#readCounted(bytes, at);
      case 'chunk-size':
        return this.#readSize(bytes, at);
      case 'chunk-end':
        return this.#readChunkEnd(bytes, at);
      case 'trailers':
        return this.#readTrailers(bytes, at);
      case 'until-close':
        this.#sink.onBody(bytes.subarray(at));
        return bytes.length;
      case 'idle':
        return bytes.length;
      default:
        return assertNever(this.#state);
    }
  }

  #readHead(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(HEAD_END, at);
    if ((end === -1 ? bytes.length : end) - at > MAX_HEAD) throw brokenHttp('The header block is too large');
    if (end === -1) return this.#keep(bytes, at);
    this.#begin(readResponseHead(bytes.toString('latin1', at, end + 2)));
    return end + HEAD_END.length;
  }

  #begin(head: ResponseHead): void {
    const { status } = head;
    if (status === 101) throw brokenHttp('The protocol was switched, and nobody asked for that');
    if (status >= 200) this.#state = this.#bodyOf(head);
    this.#sink.onHead(this.#state === 'idle' && announcesBody(head) ? { ...head, persistent: false } : head);
    if (this.#state === 'idle') this.#sink.onComplete(NO_TRAILERS);
  }

  /** RFC 9112 §6.3. */
  #bodyOf({ status, chunked, contentLength }: ResponseHead): State {
    if (this.#isHead || status === 204 || status === 304 || contentLength === 0) return 'idle';
    if (chunked) return 'chunk-size';
    if (Number.isNaN(contentLength)) return 'until-close';
    this.#left = contentLength;
    return 'length';
  }

  #readCounted(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    const isChunk = this.#state === 'chunk';
    this.#left -= end - at;
    this.#sink.onBody(bytes.subarray(at, end));
    if (this.#left > 0) return end;
    if (isChunk) this.#state = 'chunk-end';
    else this.#complete(NO_TRAILERS);
    return end;
  }

  #readSize(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LF, at);
    if ((end === -1 ? bytes.length : end) - at > MAX_SIZE_LINE)
      throw brokenHttp('The size of a chunk has no end');
    if (end === -1) return this.#keep(bytes, at);
    const line = bytes.toString('latin1', at, end);
    const size = line.endsWith('\r') ? SIZE_LINE.exec(line.slice(0, -1))?.[1] : undefined;
    if (size === undefined) throw brokenHttp('The size of a chunk is malformed');
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'chunk';
    return end + 1;
  }

  #readChunkEnd(bytes: Buffer, at: number): number {
    if (bytes.length - at < 2) {
      if (bytes[at] !== 0x0d) throw brokenHttp('A chunk is longer than it says');
      return this.#keep(bytes, at);
    }
    if (bytes[at] !== 0x0d || bytes[at + 1] !== LF) throw brokenHttp('A chunk is longer than it says');
    this.#state = 'chunk-size';
    return at + 2;
  }

  #readTrailers(bytes: Buffer, at: number): number {
    if (bytes.length - at < 2) return this.#keep(bytes, at);
    if (bytes[at] === 0x0d && bytes[at + 1] === LF) {
      this.#complete(NO_TRAILERS);
      return at + 2;
    }
    const end = bytes.indexOf(HEAD_END, at);
    if ((end === -1 ? bytes.length : end) - at > MAX_HEAD) throw brokenHttp('The trailers are too large');
    if (end === -1) return this.#keep(bytes, at);
    this.#complete(readTrailers(bytes.toString('latin1', at, end + 2)));
    return end + HEAD_END.length;
  }

  /** The rest waits for what follows; copied, since the next read takes its memory. */
  #keep(bytes: Buffer, at: number): number {
    this.#pending = Buffer.from(bytes.subarray(at));
    return bytes.length;
  }

  #complete(trailers: readonly string[]): void {
    this.#state = 'idle';
    this.#sink.onComplete(trailers);
  }
}

/**
 * Whether a head speaks of a body, which an answer to HEAD, a 204 and a 304 has not. An upstream that sends it all the
 * same may do so when the next request is on the connection already, and it would be taken for the answer to that.
 */
function announcesBody({ chunked, contentLength }: ResponseHead): boolean {
  return chunked || contentLength > 0;
}
