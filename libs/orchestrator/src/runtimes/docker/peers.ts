import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type Docker from 'dockerode';
import { RuntimeUnavailableError } from '../errors.js';
import { find } from './engine.js';

/**
 * The container this very process runs in. Its host name is its id unless the operator gave it another; then the
 * engine's own mounts (/etc/hostname and others) tell.
 * @throws RuntimeUnavailableError when the engine knows of no such container
 */
export async function ownContainer(docker: Docker): Promise<Docker.ContainerInspectInfo> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const mounted = /\/containers\/([0-9a-f]{64})\//.exec(mounts)?.[1];
  for (const name of [mounted, hostname()]) {
    const info = name === undefined ? null : await find(docker.getContainer(name).inspect());
    if (info !== null) return info;
  }
  throw new RuntimeUnavailableError('this gateway is no container of the engine it is to run slices on');
}

/**
 * The container that answers to a host name beside the gateway: its own name, or its alias (a compose service) on a
 * network the gateway is on. Null when the name is of something else.
 */
export async function containerCalled(
  docker: Docker,
  name: string,
  gateway: Docker.ContainerInspectInfo,
): Promise<Docker.ContainerInspectInfo | null> {
  const byName = await find(docker.getContainer(name).inspect());
  if (byName !== null) return byName;
  for (const network of Object.values(gateway.NetworkSettings.Networks)) {
    const members = (await find(docker.getNetwork(network.NetworkID).inspect()))?.Containers ?? {};
    for (const id of Object.keys(members)) {
      const member = await find(docker.getContainer(id).inspect());
      if (member !== null && aliasesOn(member, network.NetworkID).includes(name)) return member;
    }
  }
  return null;
}

function aliasesOn(container: Docker.ContainerInspectInfo, networkId: string): string[] {
  const endpoint = Object.values(container.NetworkSettings.Networks).find(
    (each) => each.NetworkID === networkId,
  );
  return Array.isArray(endpoint?.Aliases) ? endpoint.Aliases.map(String) : [];
}
