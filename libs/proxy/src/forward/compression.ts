import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, createBrotliCompress, createGzip, type BrotliCompress, type Gzip } from 'node:zlib';
import compressible from 'compressible';
import Negotiator from 'negotiator';
import { fieldOf, type HeaderLines } from '../headers/header-lines.js';

/** Below this, what is saved is less than what the headers of it cost. */
const MIN_BYTES = 1024;

/** Of 11: those above take so long that the network would be faster. */
const BROTLI_QUALITY = 4;

type Encoding = 'br' | 'gzip';

/** In the order of our liking: whoever takes both is served as well by either, and better by the first. */
const ENCODINGS: readonly Encoding[] = ['br', 'gzip'];

/** Without a body, or with a part of one, whose ranges are of the representation as it was asked for. */
const NEVER: ReadonlySet<number> = new Set([204, 205, 206, 304]);

/** An answer's body on its way through a compressor to the client. */
export class BodyEncoder {
  readonly #stream: BrotliCompress | Gzip;

  constructor(encoding: Encoding, res: ServerResponse) {
    // What has come is passed on at once: an answer that trickles is read as it trickles.
    this.#stream =
      encoding === 'gzip'
        ? createGzip({ flush: constants.Z_SYNC_FLUSH })
        : createBrotliCompress({
            flush: constants.BROTLI_OPERATION_FLUSH,
            params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY },
          });
    this.#stream.on('error', () => res.destroy()).pipe(res);
  }

  /** @returns whether it takes more; where it does not, `drain` says when */
  write(chunk: Buffer): boolean {
    return this.#stream.write(chunk);
  }

  /** @param listener called each time it takes more again */
  onDrain(listener: () => void): void {
    this.#stream.on('drain', listener);
  }

  /** The body is whole; the response ends with what is left of it. */
  end(): void {
    this.#stream.end();
  }

  destroy(): void {
    this.#stream.destroy();
  }
}

/**
 * The encoder of an answer that the upstream left as it is and that is worth it: not of event streams, of ranges, or of
 * what is small; null for all others.
 * @param headers of the upstream
 * @param lines those for the client: name, value, name, value …; changed to fit
 */
export function encoderFor(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  headers: HeaderLines,
  lines: string[],
): BodyEncoder | null {
  if (!isWorthIt(status, headers)) return null;
  // Who asks decides what they get, so a cache has to know (RFC 9110 §12.5.5).
  lines.push('vary', 'Accept-Encoding');
  if (req.method === 'HEAD' || req.httpVersion === '1.0') return null;
  const accepted = new Negotiator(req).encodings(ENCODINGS);
  const encoding = ENCODINGS.find((each) => accepted.includes(each));
  if (encoding === undefined) return null;
  describe(lines, encoding);
  return new BodyEncoder(encoding, res);
}

function isWorthIt(status: number, headers: HeaderLines): boolean {
  const type = fieldOf(headers, 'content-type') ?? '';
  return (
    !NEVER.has(status) &&
    fieldOf(headers, 'content-encoding') === undefined &&
    fieldOf(headers, 'content-range') === undefined &&
    !/^text\/event-stream\b/i.test(type) &&
    compressible(type) === true &&
    // RFC 9111 §5.2.2.6.
    !/(?:^|,)\s*no-transform\s*(?:,|$)/i.test(fieldOf(headers, 'cache-control') ?? '') &&
    !(Number(fieldOf(headers, 'content-length')) < MIN_BYTES)
  );
}

/** Another length, which nobody knows yet, another representation, and no ranges of it. */
function describe(lines: string[], encoding: Encoding): void {
  for (let i = lines.length - 2; i >= 0; i -= 2) {
    switch ((lines[i] ?? '').toLowerCase()) {
      case 'content-length':
      case 'accept-ranges':
      case 'content-md5':
      case 'content-digest':
        lines.splice(i, 2);
        break;
      case 'etag':
        // Equivalent and no longer the same, byte for byte (RFC 9110 §8.8.3).
        lines[i + 1] = weak(lines[i + 1] ?? '');
        break;
      default:
    }
  }
  lines.push('content-encoding', encoding);
}

function weak(etag: string): string {
  return etag.startsWith('W/') ? etag : `W/${etag}`;
}
