import { PATH } from '../lib/upstream.ts';
import type { Peer } from './peer.ts';

/** No proxy at all: what upstream and generator bear. */
export async function direct(upstream: string): Promise<Peer> {
  return {
    name: 'direct',
    url: upstream + PATH,
    cookies: [],
    cpuSeconds: () => Number.NaN,
    residentBytes: () => Number.NaN,
    [Symbol.asyncDispose]: async () => undefined,
  };
}
