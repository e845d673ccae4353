import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LOAD_CORE } from '../lib/cores.ts';
import type { Line } from '../lib/report.ts';
import { settings } from '../lib/settings.ts';
import { median } from '../lib/statistics.ts';
import { Upstream } from '../lib/upstream.ts';
import { throughput } from '../load/throughput.ts';
import { direct } from '../peers/direct.ts';
import { nginx } from '../peers/nginx.ts';
import { fastifyHttpProxy } from '../peers/node-proxies.ts';
import type { Peer } from '../peers/peer.ts';
import { Sluice } from '../peers/sluice.ts';
import { startAll } from '../peers/start-all.ts';
import type { Row } from './row.ts';

const RATE = 2000;
const GENERATOR = fileURLToPath(new URL('../load/fixed-rate.ts', import.meta.url));
/** What Sluice may add, in milliseconds. */
const TARGET = { median: 0.4, p99: 2 };

/** What a request takes, in milliseconds. */
interface Sample {
  readonly median: number;
  readonly p99: number;
}

const run = promisify(execFile);

/** How long a request takes while 2,000 of them come per second, which no peer finds hard. */
export const latency: Row = {
  name: 'latency',
  async run() {
    await using upstream = await Upstream.start();
    await using peers = await startAll([direct, nginx, fastifyHttpProxy], upstream.origin);
    await using sluice = await Sluice.start();
    const all = [...peers.running, sluice];
    const samples = new Map<string, Sample[]>(all.map(({ name }) => [name, []]));
    // At 2,000 requests/s it would take long until all that is used often is compiled.
    for (const { url, cookies } of all) await throughput(url, cookies, settings.warmUpSeconds);
    for (let round = 0; round < settings.rounds; round++) {
      for (const peer of all) samples.get(peer.name)?.push(await sample(peer));
    }
    return { lines: lines(samples), data: Object.fromEntries(samples) };
  },
};

async function sample({ url, cookies }: Peer): Promise<Sample> {
  const args = [GENERATOR, url, String(RATE), String(settings.seconds), cookies[0] ?? 'nobody=1'];
  const { stdout } = await run('taskset', ['-c', String(LOAD_CORE), process.execPath, ...args]);
  return JSON.parse(stdout);
}

/** Added over direct, round by round: whatever else the machine did then, it did to both. */
function lines(samples: ReadonlyMap<string, readonly Sample[]>): Line[] {
  const bare = samples.get('direct') ?? [];
  return [...samples].map(([who, taken]): Line => {
    const [middle, high] = [median(taken.map((one) => one.median)), median(taken.map(({ p99 }) => p99))];
    const line = { what: `latency at ${RATE}/s`, who, figures: `median ${ms(middle)}, p99 ${ms(high)}` };
    if (who === 'direct') return line;
    const added = {
      median: median(taken.map((one, round) => one.median - (bare[round]?.median ?? Number.NaN))),
      p99: median(taken.map((one, round) => one.p99 - (bare[round]?.p99 ?? Number.NaN))),
    };
    const figures = `${line.figures}; adds ${ms(added.median)}, ${ms(added.p99)}`;
    if (who !== 'Sluice') return { ...line, figures };
    return {
      ...line,
      figures,
      target: `adds ≤ ${TARGET.median} ms, ≤ ${TARGET.p99} ms`,
      reached: added.median <= TARGET.median && added.p99 <= TARGET.p99,
    };
  });
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}
