import { throughput } from '../load/throughput.ts';
import { PROXY_CORE } from './cores.ts';
import { busySeconds } from './core-time.ts';
import { settings } from './settings.ts';
import { median } from './statistics.ts';

/** One measurement of a proxy under full load. */
export interface Sample {
  readonly requestsPerSecond: number;
  /** CPU time of the proxy, in microseconds per request: what other work on the machine disturbs least. */
  readonly cpuMicros: number;
  /** The part of the time in which the proxy's core worked for somebody else. */
  readonly taken: number;
}

/** What is needed of a proxy to load it. */
export interface Loadable {
  readonly url: string;
  readonly cookies: readonly string[];
  cpuSeconds(): number;
}

/** Warms up, then measures. */
export async function sample(proxy: Loadable): Promise<Sample> {
  await throughput(proxy.url, proxy.cookies, settings.warmUpSeconds);
  const [cpuBefore, busyBefore] = [proxy.cpuSeconds(), busySeconds(PROXY_CORE)];
  const { requests, seconds } = await throughput(proxy.url, proxy.cookies, settings.seconds);
  const cpu = proxy.cpuSeconds() - cpuBefore;
  const taken = Math.max(0, (busySeconds(PROXY_CORE) - busyBefore - cpu) / seconds);
  return { requestsPerSecond: requests / seconds, cpuMicros: (cpu / requests) * 1e6, taken };
}

/** The median of each figure by itself. */
export function medianOf(samples: readonly Sample[]): Sample {
  return {
    requestsPerSecond: median(samples.map(({ requestsPerSecond }) => requestsPerSecond)),
    cpuMicros: median(samples.map(({ cpuMicros }) => cpuMicros)),
    taken: median(samples.map(({ taken }) => taken)),
  };
}

/** How one proxy does against another. */
export interface Comparison {
  /** How many times the other's requests per second. */
  readonly ratio: number;
  /** How many times the other's requests for the same CPU time. */
  readonly byCpu: number;
}

/** The medians of the rounds' ratios: what slowed the machine in one round slowed both. */
export function compare(own: readonly Sample[], others: readonly Sample[]): Comparison {
  const rounds = own.map((one, round) => ({ one, other: others[round] ?? one }));
  return {
    ratio: median(rounds.map(({ one, other }) => one.requestsPerSecond / other.requestsPerSecond)),
    byCpu: median(rounds.map(({ one, other }) => other.cpuMicros / one.cpuMicros)),
  };
}
