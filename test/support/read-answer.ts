import { ResponseParser } from '../../libs/proxy/src/client/response-parser.js';
import { UpstreamFault } from '../../libs/proxy/src/client/upstream-fault.js';
import type { Answered } from './mutated-responses.js';

/** An answer as a parser read it. */
export interface ReadAnswer {
  /** Status and fields of each head; the final one is the last. */
  readonly heads: readonly { readonly status: number; readonly lines: readonly string[] }[];
  /** As latin1. */
  readonly body: string;
  readonly trailers: readonly string[];
}

export interface Reading extends ReadAnswer {
  readonly outcome: 'whole' | 'excess' | 'cut off' | 'refused';
  /** How many pieces were taken until the answer was whole, or refused. */
  readonly taken: number;
}

/** Has our parser read an answer piece by piece, and then the end of the connection. */
export function readInPieces({ isHead }: Pick<Answered, 'isHead'>, pieces: readonly string[]): Reading {
  const heads: { status: number; lines: readonly string[] }[] = [];
  let body = '';
  let trailers: readonly string[] | null = null;
  // The memory of one read is that of the next, as it is on a connection.
  const memory = Buffer.alloc(Math.max(...pieces.map(({ length }) => length), 1));
  const parser = new ResponseParser({
    onHead: ({ status, lines }) => heads.push({ status, lines }),
    onBody: (bytes) => (body += bytes.toString('latin1')),
    onComplete: (read) => (trailers = read),
  });
  const reading = (outcome: Reading['outcome'], taken: number): Reading => ({
    heads,
    body,
    trailers: trailers ?? [],
    outcome,
    taken,
  });
  parser.expect(isHead);
  let taken = 0;
  for (const piece of pieces) {
    taken++;
    try {
      if (!parser.feed(memory.subarray(0, memory.write(piece, 'latin1')))) return reading('excess', taken);
    } catch (error) {
      if (error instanceof UpstreamFault && error.code === 'UPSTREAM_BROKE_HTTP')
        return reading('refused', taken);
      throw error;
    }
    memory.fill('#');
    if (parser.isIdle && taken < pieces.length) return reading('excess', taken);
  }
  return reading(parser.isIdle || parser.close() ? 'whole' : 'cut off', taken);
}
