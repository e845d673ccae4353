import type Docker from 'dockerode';
import { connectEngine, find } from './engine.js';

/**
 * The address by which containers reach this host, `host.docker.internal`: that of the engine's default bridge. A
 * server on this host that slices need listens there as well. The kernel is no help: Node does not list an interface
 * on which no container runs yet.
 * @param dockerHost as in DOCKER_HOST; null: the engine's usual socket
 * @returns null where the engine has no such bridge (Docker Desktop leads to the host's loopback by itself)
 * @throws RuntimeUnavailableError
 */
export async function hostAddress(dockerHost: string | null): Promise<string | null> {
  const bridge = await find<Docker.NetworkInspectInfo>(
    connectEngine(dockerHost).getNetwork('bridge').inspect(),
  );
  const [ipam] = bridge?.IPAM?.Config ?? [];
  return ipam?.Gateway ?? firstAddressOf(ipam?.Subnet) ?? null;
}

/** What an engine that was not told otherwise gives its bridge, and then does not mention. */
function firstAddressOf(subnet: string | undefined): string | undefined {
  const [, network, last] = /^(\d+\.\d+\.\d+)\.(\d+)\/\d+$/.exec(subnet ?? '') ?? [];
  return network === undefined ? undefined : `${network}.${Number(last) + 1}`;
}
