import { brokenHttp } from './upstream-fault.js';

/** The status line and the fields of a response. */
export interface ResponseHead {
  /** From 100 to 999. */
  readonly status: number;
  /** Name, value, name, value …, as they came; names in lower case. */
  readonly lines: readonly string[];
  /** NaN where there is no Content-Length. */
  readonly contentLength: number;
  readonly chunked: boolean;
  /** Whether the connection may serve another request. */
  readonly persistent: boolean;
  /** How long the upstream keeps the connection without a request, in seconds; NaN where it does not say. */
  readonly keepAliveSeconds: number;
}

/**
 * A whole header block, with the line end of its last line. One expression for all of it, so that nothing is taken
 * apart that was not found to be in order: no folding, no blank before a colon, no bare CR or LF, no control character
 * (RFC 9112 §4 and §5, RFC 9110 §5.5). A character is matched by one alternative only, so there is nothing to go back to.
 */
const HEAD =
  /^HTTP\/1\.[01] [1-9]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?\r\n(?:[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*$/;

/** Enough for every number that is exact. */
const LENGTH = /^\d{1,15}$/;
const BLANKS_AROUND = /^[\t ]+|[\t ]+$/g;
const KEEP_ALIVE_TIMEOUT = /(?:^|[,\s])timeout=(\d{1,9})/i;

const SPACE = 0x20;
const TAB = 0x09;

/**
 * Reads a header block.
 * @param text up to the empty line, without it
 * @throws UpstreamFault UPSTREAM_BROKE_HTTP
 */
export function readResponseHead(text: string): ResponseHead {
  if (!HEAD.test(text)) throw brokenHttp('The header block is malformed');
  const lines: string[] = [];
  const framing = new Framing(text.charCodeAt(7) === 0x31);
  let at = text.indexOf('\r\n') + 2;
  while (at < text.length) {
    const colon = text.indexOf(':', at);
    const end = text.indexOf('\r\n', colon);
    const name = text.slice(at, colon).toLowerCase();
    const value = valueOf(text, colon + 1, end);
    lines.push(name, value);
    framing.observe(name, value, text.charCodeAt(end - 1) === TAB);
    at = end + 2;
  }
  return framing.head(Number(text.slice(9, 12)), lines);
}

/** Trailers, which look as the fields of a head do. */
export function readTrailers(text: string): readonly string[] {
  const { lines, contentLength, chunked } = readResponseHead(`HTTP/1.1 200\r\n${text}`);
  if (chunked || !Number.isNaN(contentLength)) throw brokenHttp('A trailer says where the message ends');
  return lines;
}

function valueOf(text: string, from: number, to: number): string {
  // One space in front, none behind: all the world writes it so.
  const start = text.charCodeAt(from) === SPACE ? from + 1 : from;
  if (start === to) return '';
  if (!isBlank(text.charCodeAt(start)) && !isBlank(text.charCodeAt(to - 1))) return text.slice(start, to);
  return text.slice(start, to).replaceAll(BLANKS_AROUND, '');
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** What the fields say of where the message and the connection end; nothing else of them matters here. */
class Framing {
  readonly #isHttp11: boolean;
  #contentLength = Number.NaN;
  #transferEncoding: string | null = null;
  #closes = false;
  #keepsAlive = false;
  #keepAliveSeconds = Number.NaN;

  constructor(isHttp11: boolean) {
    this.#isHttp11 = isHttp11;
  }

  observe(name: string, value: string, endsInTab: boolean): void {
    // The length first: of most names it is all that has to be looked at.
    switch (name.length) {
      case 14:
        if (name === 'content-length') this.#length(value);
        break;
      case 17:
        if (name === 'transfer-encoding') this.#coding(value, endsInTab);
        break;
      case 10:
        if (name === 'connection') this.#connection(value);
        else if (name === 'keep-alive') this.#keepAlive(value);
        break;
      default:
    }
  }

  /** @throws UpstreamFault where there are two framings, or one that is not ours (RFC 9112 §6.1, §6.3) */
  head(status: number, lines: readonly string[]): ResponseHead {
    const chunked = this.#transferEncoding !== null;
    if (chunked && !Number.isNaN(this.#contentLength)) {
      throw brokenHttp('Content-Length and Transfer-Encoding exclude each other');
    }
    if (chunked && !this.#isHttp11) throw brokenHttp('HTTP/1.0 has no Transfer-Encoding');
    return {
      status,
      lines,
      contentLength: this.#contentLength,
      chunked,
      persistent: !this.#closes && (this.#isHttp11 || this.#keepsAlive),
      keepAliveSeconds: this.#keepAliveSeconds,
    };
  }

  /** Not even the same length twice: whoever reads lists differently would find another end. */
  #length(value: string): void {
    if (!Number.isNaN(this.#contentLength) || !LENGTH.test(value))
      throw brokenHttp('Content-Length is ambiguous');
    this.#contentLength = Number(value);
  }

  /** With a tab behind it Node does not know it again, and reads on until the connection ends: two readings. */
  #coding(value: string, endsInTab: boolean): void {
    if (endsInTab || this.#transferEncoding !== null || value.toLowerCase() !== 'chunked') {
      throw brokenHttp('The only Transfer-Encoding that is read is chunked');
    }
    this.#transferEncoding = value;
  }

  #connection(value: string): void {
    const options = value.toLowerCase();
    if (options === 'keep-alive') this.#keepsAlive = true;
    else for (const option of options.split(',')) this.#option(option.trim());
  }

  #option(option: string): void {
    if (option === 'close') this.#closes = true;
    else if (option === 'keep-alive') this.#keepsAlive = true;
  }

  #keepAlive(value: string): void {
    this.#keepAliveSeconds = Number(KEEP_ALIVE_TIMEOUT.exec(value)?.[1] ?? Number.NaN);
  }
}
