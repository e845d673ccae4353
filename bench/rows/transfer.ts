import { createHash } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { request } from 'undici';
import { type Line, mebibytes, times } from '../lib/report.ts';
import { settings } from '../lib/settings.ts';
import { median } from '../lib/statistics.ts';
import { nginxUnbuffered } from '../peers/nginx.ts';
import type { Peer } from '../peers/peer.ts';
import { Sluice } from '../peers/sluice.ts';
import { appSlice } from '../slices/command.ts';
import type { Row } from './row.ts';

const GIB = 1024 ** 3;
const PIECE = Buffer.alloc(64 * 1024, 'sluice');
const GROWTH_TARGET = 64 * 1024 ** 2;
/** As fast as nginx: what a measurement differs from the next one is not held against either. */
const RATIO_TARGET = 0.95;

const DIRECTIONS = ['up', 'down'] as const;
type Direction = (typeof DIRECTIONS)[number];

/** One transfer. */
interface Move {
  readonly seconds: number;
  /** CPU time of the proxy. */
  readonly cpuSeconds: number;
}

type Moves = Record<Direction, Record<'nginx' | 'sluice', Move[]>>;

/** 1 GiB in each direction: how fast, whether it is the same, and whether the gateway keeps any of it. */
export const transfer: Row = {
  name: 'transfer',
  async run() {
    await using sluice = await Sluice.start({ slice: appSlice });
    await using nginx = await nginxUnbuffered(sluice.sliceOrigin);
    const expected = createHash('sha256');
    for (const piece of pieces()) expected.update(piece);
    const sha256 = expected.digest('hex');
    for (const direction of DIRECTIONS) await move(sluice, direction, sha256);
    const before = sluice.residentBytes();
    const moves: Moves = { up: { nginx: [], sluice: [] }, down: { nginx: [], sluice: [] } };
    for (let round = 0; round < settings.rounds; round++) {
      for (const direction of DIRECTIONS) {
        moves[direction].nginx.push(await move(nginx, direction, sha256));
        moves[direction].sluice.push(await move(sluice, direction, sha256));
      }
    }
    const growth = Math.max(0, sluice.residentBytes() - before);
    const lines = DIRECTIONS.flatMap((direction) => linesOf(direction, moves[direction]));
    lines.push({
      what: '1 GiB: memory',
      who: 'Sluice',
      figures: `grows by ${mebibytes(growth)}`,
      target: `≤ ${mebibytes(GROWTH_TARGET)}`,
      reached: growth <= GROWTH_TARGET,
    });
    return { lines, data: { moves, growth } };
  },
};

function linesOf(direction: Direction, moves: Moves[Direction]): Line[] {
  const what = `1 GiB ${direction}`;
  const ratio = median(
    moves.sluice.map(({ seconds }, i) => (moves.nginx[i]?.seconds ?? Number.NaN) / seconds),
  );
  return [
    {
      what,
      who: 'nginx, unbuffered',
      figures: figuresOf(moves.nginx),
      compared: times(ratio),
      target: `≥ ${RATIO_TARGET} ×`,
      reached: ratio >= RATIO_TARGET,
    },
    { what, who: 'Sluice', figures: `${figuresOf(moves.sluice)}, same SHA-256` },
  ];
}

function secondsOf(moves: readonly Move[]): number {
  return median(moves.map(({ seconds }) => seconds));
}

function figuresOf(moves: readonly Move[]): string {
  const cpu = median(moves.map(({ cpuSeconds }) => cpuSeconds));
  return `${(1024 / secondsOf(moves)).toFixed(0)} MiB/s, ${cpu.toFixed(2)} s CPU`;
}

/**
 * Moves 1 GiB through the proxy.
 * @throws Error when it did not arrive as it was sent
 */
async function move(peer: Peer, direction: Direction, sha256: string): Promise<Move> {
  const [begun, cpuBefore] = [performance.now(), peer.cpuSeconds()];
  const arrived = await (direction === 'up' ? upload(peer) : download(peer));
  if (arrived !== sha256) throw new Error(`${direction} through ${peer.name}: other bytes arrived`);
  return { seconds: (performance.now() - begun) / 1000, cpuSeconds: peer.cpuSeconds() - cpuBefore };
}

async function upload({ url, cookies }: Peer): Promise<string> {
  const { body } = await request(url, {
    method: 'PUT',
    headers: headersOf(cookies),
    body: Readable.from(pieces(), { objectMode: false }),
  });
  return body.text();
}

async function download({ url, cookies }: Peer): Promise<string> {
  const { body } = await request(`${url}?bytes=${GIB}`, { headers: headersOf(cookies) });
  const hash = createHash('sha256');
  await pipeline(
    body,
    new Writable({ write: (chunk: Buffer, _encoding, done) => (hash.update(chunk), done()) }),
  );
  return hash.digest('hex');
}

function headersOf([cookie]: readonly string[]): Record<string, string> {
  return cookie === undefined ? {} : { cookie };
}

function* pieces(): Generator<Buffer> {
  for (let left = GIB; left > 0; left -= PIECE.length) yield PIECE;
}
