import { throughput } from '../load/throughput.ts';
import { settings } from './settings.ts';
import { median } from './statistics.ts';

/** One measurement of a proxy under full load. */
export interface Sample {
  readonly requestsPerSecond: number;
  /** CPU time of the proxy, in microseconds per request: what other work on the machine disturbs least. */
  readonly cpuMicros: number;
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
  const before = proxy.cpuSeconds();
  const { requests, seconds } = await throughput(proxy.url, proxy.cookies, settings.seconds);
  const cpuMicros = ((proxy.cpuSeconds() - before) / requests) * 1e6;
  return { requestsPerSecond: requests / seconds, cpuMicros };
}

/** The median of each figure by itself. */
export function medianOf(samples: readonly Sample[]): Sample {
  return {
    requestsPerSecond: median(samples.map(({ requestsPerSecond }) => requestsPerSecond)),
    cpuMicros: median(samples.map(({ cpuMicros }) => cpuMicros)),
  };
}
