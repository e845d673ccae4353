import type Docker from 'dockerode';
import type { SliceSpec } from '../slice-runtime.js';
import { CONTAINER_PORT, CONTAINER_PORT_KEY } from './addressing.js';
import { DATA_DIR, dataMount } from './data-volumes.js';
import { LABELS, type Ownership } from './ownership.js';

/** What the operator may choose for all slices. */
export interface ContainerPolicy {
  /** The image's own files can't be changed; DATA_DIR and /tmp can. Default true. */
  readOnlyRoot?: boolean;
  /** Processes and threads per slice. Default 512. */
  pidsLimit?: number;
  /** Log files are rotated at this size; three are kept. Default 10 MiB. */
  maxLogBytes?: number;
}

export interface ContainerPlan {
  spec: SliceSpec;
  image: string;
  ownership: Ownership;
  policy: ContainerPolicy;
  network: string;
  portBindings: Docker.PortMap;
}

/** A slice's container for the engine: limited in all it can use up, and without any privilege. */
export function containerOptions(plan: ContainerPlan): Docker.ContainerCreateOptions {
  const { spec, image, ownership } = plan;
  const env = { ...spec.env, PORT: String(CONTAINER_PORT), HOST: '0.0.0.0', DATA_DIR };
  return {
    name: ownership.nameOf(spec.id),
    Image: image,
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    Labels: { ...ownership.labelsOf(spec.id), [LABELS.generation]: String(spec.generation) },
    ExposedPorts: { [CONTAINER_PORT_KEY]: {} },
    // The reconciler asks for health itself; the image's own check would cost a process every few seconds.
    Healthcheck: { Test: ['NONE'] },
    HostConfig: hostConfig(plan),
  };
}

function hostConfig({ spec, ownership, policy, network, portBindings }: ContainerPlan): Docker.HostConfig {
  return {
    NetworkMode: network,
    PortBindings: portBindings,
    ExtraHosts: ['host.docker.internal:host-gateway'],
    Mounts: [dataMount(ownership.nameOf(spec.id))],
    ReadonlyRootfs: policy.readOnlyRoot ?? true,
    Tmpfs: { '/tmp': 'rw,nosuid,nodev,size=64m,mode=1777' },
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    Memory: spec.memoryBytes,
    // Memory and swap together: no swap, so that the limit is one.
    MemorySwap: spec.memoryBytes,
    NanoCpus: Math.round(spec.cpus * 1e9),
    PidsLimit: policy.pidsLimit ?? 512,
    LogConfig: {
      Type: 'json-file',
      Config: { 'max-size': String(policy.maxLogBytes ?? 10 * 1024 * 1024), 'max-file': '3' },
    },
    // The reconciler restarts; an engine that did too would bring back what was stopped.
    RestartPolicy: { Name: 'no' },
    // Collects zombies, and lets an app that is process 1 die of SIGTERM.
    Init: true,
  };
}
