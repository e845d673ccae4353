import { once } from 'node:events';
import { IncomingMessage, request } from 'node:http';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assert as assertProperty, asyncProperty, oneof } from 'fast-check';
import { answers, mutatedAnswers, type Answered } from '../support/mutated-responses.js';
import { readInPieces, type ReadAnswer } from '../support/read-answer.js';
import { soak } from '../support/soak.js';
import { portOf } from '../support/stub-upstream.js';

/**
 * The threat: an upstream's answer of which nobody has thought yet, and that our parser takes for another one than the
 * rest of the world does. Node's strict parser reads the very same bytes: what it refuses we refuse, and what both read
 * is the same. That ours refuses more is on purpose.
 */
const RUNS = soak(50_000, 2_000);
/** To repeat a failed run: its seed is in the report of the failure, and this sets it. */
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000_000);

let server: Server;
/** What the next connection is answered with, before it ends. */
let bytes = '';

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => socket.destroy()).once('data', () => socket.end(bytes, 'latin1'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(async () => {
  server.close();
  await once(server, 'close');
});

/** As Node's client reads it; null where it refuses. */
async function readByNode({ isHead, text }: Answered): Promise<ReadAnswer | null> {
  bytes = text;
  const heads: { status: number; lines: string[] }[] = [];
  const asked = request({
    port: portOf(server),
    host: '127.0.0.1',
    agent: false,
    method: isHead ? 'HEAD' : 'GET',
  });
  asked.on('information', ({ statusCode, rawHeaders }) =>
    heads.push({ status: statusCode, lines: inLowerCase(rawHeaders) }),
  );
  const refused = Promise.withResolvers<null>();
  asked.on('upgrade', (_response, socket) => {
    socket.destroy();
    refused.resolve(null);
  });
  asked.on('error', () => refused.resolve(null)).end();
  const whole = once(asked, 'response').then(async ([response]) => {
    if (!(response instanceof IncomingMessage)) throw new TypeError('This is no response');
    const body = Buffer.concat(await response.toArray()).toString('latin1');
    heads.push({ status: response.statusCode ?? 0, lines: inLowerCase(response.rawHeaders) });
    return { heads, body, trailers: inLowerCase(response.rawTrailers) };
  });
  return Promise.race([whole.catch(() => null), refused.promise]);
}

function inLowerCase(raw: readonly string[]): string[] {
  return raw.map((part, i) => (i % 2 === 0 ? part.toLowerCase() : part));
}

describe('Mutated answers', () => {
  it(
    'are read as Node’s strict parser reads them, or refused',
    async () => {
      const count = { whole: 0, refused: 0 };
      await assertProperty(
        asyncProperty(oneof(answers, mutatedAnswers), async (answer) => {
          const pieces = answer.text.split('');
          const { outcome, taken, ...ours } = readInPieces(answer, pieces);
          if (outcome === 'refused' || outcome === 'cut off') {
            count.refused++;
            return;
          }
          count.whole++;
          // What stands behind it is dropped with the connection, so how it reads makes no difference.
          expect(await readByNode({ ...answer, text: answer.text.slice(0, taken) })).toEqual(ours);
        }),
        { numRuns: RUNS, seed: SEED },
      );
      // A parser that refuses everything would pass as well.
      expect(count.whole).toBeGreaterThan(RUNS / 4);
      expect(count.refused).toBeGreaterThan(RUNS / 20);
    },
    soak(600_000, 60_000),
  );
});
