import type Docker from 'dockerode';
import { ForeignResourceError, StartFailedError } from '../errors.js';
import type { SliceSpec } from '../slice-runtime.js';
import { CONTAINER_PORT_KEY, type Addressing } from './addressing.js';
import { ask, find } from './engine.js';
import type { Ownership } from './ownership.js';

/** Inter-container connectivity: "false" has the engine drop what goes from one container to another. */
const ENABLE_ICC = 'com.docker.network.bridge.enable_icc';

const LOOPBACK = '127.0.0.1';

/**
 * The gateway is a process of this host: each slice is published on a loopback port, which no container can reach. All
 * slices share one bridge, on which the engine drops what goes from one container to another.
 */
export class PublishedPorts implements Addressing {
  readonly #docker: Docker;
  readonly #ownership: Ownership;
  #opening: Promise<void> = Promise.resolve();

  constructor(docker: Docker, ownership: Ownership) {
    this.#docker = docker;
    this.#ownership = ownership;
  }

  async open(): Promise<string> {
    // One after another: the engine would give two callers two networks of the same name.
    const opening = this.#opening.then(() => this.#ensureNetwork());
    this.#opening = opening.catch(() => undefined);
    await opening;
    return this.#ownership.name;
  }

  portBindings({ port }: SliceSpec): Docker.PortMap {
    if (port === null) throw new StartFailedError('a published slice needs a port of this host');
    return { [CONTAINER_PORT_KEY]: [{ HostIp: LOOPBACK, HostPort: String(port) }] };
  }

  endpoint({ HostConfig }: Docker.ContainerInspectInfo): { host: string; port: number } {
    // As bound, not as published: known also of a container that does not run.
    const bindings: Docker.PortMap = HostConfig.PortBindings ?? {};
    return { host: LOOPBACK, port: Number(bindings[CONTAINER_PORT_KEY]?.[0]?.HostPort ?? 0) };
  }

  join(): Promise<void> {
    return Promise.resolve();
  }

  async #ensureNetwork(): Promise<void> {
    const { name, labels } = this.#ownership;
    const found = await find(this.#docker.getNetwork(name).inspect());
    if (found !== null) {
      this.#ownership.assertOurs(`network ${name}`, found.Labels);
      if (found.Options?.[ENABLE_ICC] === 'false') return;
      throw new ForeignResourceError(
        `on the network ${name} slices could reach each other (${ENABLE_ICC} is not false); remove it, and it is made anew`,
      );
    }
    await ask(
      this.#docker.createNetwork({
        Name: name,
        CheckDuplicate: true,
        Driver: 'bridge',
        EnableIPv6: false,
        Labels: labels,
        Options: { [ENABLE_ICC]: 'false' },
      }),
    );
  }
}
