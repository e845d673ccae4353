import type Docker from 'dockerode';
import type { SliceSpec } from '../slice-runtime.js';

/** The port every slice listens on in its own container. */
export const CONTAINER_PORT = 3000;
export const CONTAINER_PORT_KEY = `${CONTAINER_PORT}/tcp`;

/** How the gateway reaches a slice in its container, and how slices are kept from each other. */
export interface Addressing {
  /**
   * Makes sure that the network the slice's container is to be on exists.
   * @returns its name
   */
  open(sliceId: number): Promise<string>;

  /** @throws StartFailedError when the slice can't be reached this way */
  portBindings(spec: SliceSpec): Docker.PortMap;

  /** Where the gateway reaches the container. */
  endpoint(container: Docker.ContainerInspectInfo): { host: string; port: number };

  /** Makes sure that a running slice can be reached by the gateway, and reaches what it needs. */
  join(sliceId: number): Promise<void>;
}
