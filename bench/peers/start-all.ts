import { settings } from '../lib/settings.ts';
import type { Peer, StartPeer } from './peer.ts';

/** Peers that run side by side; only the one that is measured has work. */
export interface RunningPeers extends AsyncDisposable {
  readonly running: readonly Peer[];
}

/** Starts all peers that can be started here; what can't is said and left out. */
export async function startAll(peers: readonly StartPeer[], upstream: string): Promise<RunningPeers> {
  const running: Peer[] = [];
  for (const start of peers) {
    try {
      const peer = await start(upstream);
      if (peer.name.includes(settings.only)) running.push(peer);
      else await peer[Symbol.asyncDispose]();
    } catch (error) {
      console.error(`Left out: ${start.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return {
    running,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(running.map((peer) => peer[Symbol.asyncDispose]()));
    },
  };
}
