import type Docker from 'dockerode';
import { SLICE_SUBNET_LENGTH } from '#config';
import { RuntimeUnavailableError } from '../errors.js';
import { CONTAINER_PORT, type Addressing } from './addressing.js';
import { ask, EngineRefusal, find } from './engine.js';
import type { Ownership } from './ownership.js';
import { containerCalled, ownContainer } from './peers.js';
import { freeSubnets } from './subnets.js';

/** Others may take a subnet between the look and the call, but hardly this many times. */
const MAX_ATTEMPTS = 16;

export interface PrivateNetworksOptions {
  /** Networks are named `<prefix>-slice-<id>`. */
  prefix: string;
  /** Host names that slices need. One of a container beside the gateway joins each network under that name. */
  attach?: readonly string[];
  /** Name or id of the gateway's container. Default: the one this process runs in. */
  gateway?: string;
  /** An IPv4 network that nothing else here uses, in CIDR notation: the engine's own pools give 31 networks in all. */
  subnetPool: string;
}

/**
 * The gateway is a container itself: each slice has a network of its own, which the gateway joins, and publishes
 * nothing. The engine passes nothing from one network to another.
 */
export class PrivateNetworks implements Addressing {
  readonly #docker: Docker;
  readonly #ownership: Ownership;
  readonly #options: PrivateNetworksOptions;

  constructor(docker: Docker, ownership: Ownership, options: PrivateNetworksOptions) {
    this.#docker = docker;
    this.#ownership = ownership;
    this.#options = options;
  }

  async open(sliceId: number): Promise<string> {
    const name = this.#nameOf(sliceId);
    if ((await this.#find(sliceId)) === null) await this.#create(name, sliceId);
    return name;
  }

  portBindings(): Docker.PortMap {
    return {};
  }

  endpoint({ Name }: Docker.ContainerInspectInfo): { host: string; port: number } {
    return { host: Name.replace(/^\//, ''), port: CONTAINER_PORT };
  }

  async join(sliceId: number): Promise<void> {
    const gateway = await this.#gateway();
    await this.#connect(sliceId, gateway);
    for (const name of this.#options.attach ?? []) {
      const peer = await containerCalled(this.#docker, name, gateway);
      if (peer !== null) await this.#connect(sliceId, peer, [name]);
    }
  }

  async #gateway(): Promise<Docker.ContainerInspectInfo> {
    const { gateway } = this.#options;
    return gateway === undefined
      ? ownContainer(this.#docker)
      : ask(this.#docker.getContainer(gateway).inspect());
  }

  async #connect(sliceId: number, peer: Docker.ContainerInspectInfo, aliases: string[] = []): Promise<void> {
    const name = this.#nameOf(sliceId);
    if (isOn(name, peer)) return;
    try {
      await ask(
        this.#docker.getNetwork(name).connect({ Container: peer.Id, EndpointConfig: { Aliases: aliases } }),
      );
    } catch (error) {
      // Another call may have connected it meanwhile; the engine has no status of its own for that.
      if (!(error instanceof EngineRefusal)) throw error;
      if (!isOn(name, await ask(this.#docker.getContainer(peer.Id).inspect()))) throw error;
    }
  }

  async #create(name: string, sliceId: number): Promise<void> {
    const pool = this.#options.subnetPool;
    const used = (await ask(this.#docker.listNetworks())).flatMap(({ IPAM }) => IPAM?.Config ?? []);
    const subnets = freeSubnets(
      pool,
      SLICE_SUBNET_LENGTH,
      used.flatMap(({ Subnet }) => Subnet ?? []),
      sliceId,
    );
    let attempts = 0;
    for (const subnet of subnets) {
      if (await this.#tryCreate(name, sliceId, subnet)) return;
      attempts += 1;
      if (attempts === MAX_ATTEMPTS) break;
    }
    throw new RuntimeUnavailableError(`no free network for slice ${sliceId} in ${pool} (SLICE_SUBNETS)`);
  }

  /** @returns false when the engine will not have this subnet */
  async #tryCreate(name: string, sliceId: number, subnet: string): Promise<boolean> {
    try {
      await ask(
        this.#docker.createNetwork({
          Name: name,
          CheckDuplicate: true,
          Driver: 'bridge',
          EnableIPv6: false,
          IPAM: { Driver: 'default', Config: [{ Subnet: subnet }] },
          Labels: this.#ownership.labelsOf(sliceId),
        }),
      );
      return true;
    } catch (error) {
      // A pool that overlaps is 403 up to Docker 25, and 400 since.
      if (error instanceof EngineRefusal && (error.status === 403 || error.status === 400)) return false;
      throw error;
    }
  }

  async #find(sliceId: number): Promise<Docker.NetworkInspectInfo | null> {
    const name = this.#nameOf(sliceId);
    const network = await find<Docker.NetworkInspectInfo>(this.#docker.getNetwork(name).inspect());
    if (network !== null) this.#ownership.assertOurs(`network ${name}`, network.Labels);
    return network;
  }

  #nameOf(sliceId: number): string {
    return `${this.#options.prefix}-slice-${sliceId}`;
  }
}

function isOn(network: string, { NetworkSettings }: Docker.ContainerInspectInfo): boolean {
  return network in NetworkSettings.Networks;
}
