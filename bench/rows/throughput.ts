import { count, type Line, times } from '../lib/report.ts';
import { compare, medianOf, sample, type Sample } from '../lib/sample.ts';
import { settings } from '../lib/settings.ts';
import { Upstream } from '../lib/upstream.ts';
import { direct } from '../peers/direct.ts';
import { haproxy } from '../peers/haproxy.ts';
import { nginx, nginxAuthRequest, nginxAuthRequestKeepAlive } from '../peers/nginx.ts';
import { configurableHttpProxy, expressProxy, fastifyHttpProxy } from '../peers/node-proxies.ts';
import type { StartPeer } from '../peers/peer.ts';
import { startAll } from '../peers/start-all.ts';
import { Sluice } from '../peers/sluice.ts';
import type { Row } from './row.ts';

const PEERS: readonly StartPeer[] = [
  direct,
  haproxy,
  nginx,
  nginxAuthRequest,
  nginxAuthRequestKeepAlive,
  fastifyHttpProxy,
  expressProxy,
  configurableHttpProxy,
];

/** How many times a peer's throughput Sluice must reach (docs/performance.md), and should. */
const TARGETS: Readonly<Record<string, readonly [must: number, aim: number]>> = {
  '@fastify/http-proxy': [1.3, 1.5],
  'configurable-http-proxy': [1.8, 2],
  'nginx + auth_request': [3.5, 4],
};

/** From here on a figure is said to be disturbed. */
const DISTURBED = 0.05;

/** Requests per second through one core, and what a request costs. */
export const throughput: Row = {
  name: 'throughput',
  async run() {
    await using upstream = await Upstream.start();
    await using peers = await startAll(PEERS, upstream.origin);
    await using sluice = await Sluice.start();
    const all = [...peers.running, sluice];
    const samples = new Map<string, Sample[]>(all.map(({ name }) => [name, []]));
    for (let round = 0; round < settings.rounds; round++) {
      for (const peer of all) samples.get(peer.name)?.push(await sample(peer));
    }
    return {
      lines: lines(samples),
      data: { samples: Object.fromEntries(samples), resident: sluice.residentBytes() },
    };
  },
};

function lines(samples: ReadonlyMap<string, readonly Sample[]>): Line[] {
  const own = samples.get('Sluice') ?? [];
  return [...samples].map(([who, taken]) => {
    const line = { what: 'throughput', who, figures: figuresOf(medianOf(taken)) };
    if (taken === own) return line;
    const { ratio, byCpu } = compare(own, taken);
    const compared = Number.isNaN(byCpu) ? times(ratio) : `${times(ratio)} (by CPU ${times(byCpu)})`;
    const target = TARGETS[who];
    if (target === undefined) return { ...line, compared };
    return { ...line, compared, target: `≥ ${target[0]} ×, aim ${target[1]} ×`, reached: ratio >= target[0] };
  });
}

function figuresOf({ requestsPerSecond, cpuMicros, taken }: Sample): string {
  const rate = `${count(requestsPerSecond)} requests/s`;
  if (Number.isNaN(cpuMicros)) return rate;
  const disturbed = taken < DISTURBED ? '' : ` (others took ${(taken * 100).toFixed(0)} % of the core)`;
  return `${rate}, ${cpuMicros.toFixed(1)} µs CPU each${disturbed}`;
}
