import type Docker from 'dockerode';
import { ask, find } from './engine.js';
import { sliceIdOf, type Ownership } from './ownership.js';

/**
 * The networks that slices have to themselves, whatever they are called: a gateway that was given another
 * SLICE_NETWORK, or none any more, still has those of before to remove.
 */
export class SliceNetworks {
  readonly #docker: Docker;
  readonly #ownership: Ownership;

  constructor(docker: Docker, ownership: Ownership) {
    this.#docker = docker;
    this.#ownership = ownership;
  }

  /** The ids of the slices that have one. */
  async list(): Promise<number[]> {
    const networks = await ask(this.#docker.listNetworks({ filters: this.#ownership.filters }));
    return [...new Set(networks.map(({ Labels }) => sliceIdOf(Labels)))];
  }

  /** Takes everybody off the slice's networks, and removes them. */
  async remove(sliceId: number): Promise<void> {
    const label = Object.entries(this.#ownership.labelsOf(sliceId)).map(
      ([name, value]) => `${name}=${value}`,
    );
    for (const { Id } of await ask(this.#docker.listNetworks({ filters: { label } }))) {
      const network = this.#docker.getNetwork(Id);
      const members = (await find<Docker.NetworkInspectInfo>(network.inspect()))?.Containers;
      for (const id of Object.keys(members ?? {}))
        await find(network.disconnect({ Container: id, Force: true }));
      await find(network.remove());
    }
  }
}
