import type Docker from 'dockerode';
import { PortTakenError, StartFailedError } from '../errors.js';
import {
  type ListedInstance,
  SliceRuntime,
  type SliceInstance,
  type SliceSpec,
  type SliceUsage,
} from '../slice-runtime.js';
import type { Addressing } from './addressing.js';
import { containerOptions, type ContainerPolicy } from './container-options.js';
import { DataVolumes } from './data-volumes.js';
import { ask, askUnless, connectEngine, EngineRefusal, find } from './engine.js';
import { followLogs } from './follow-logs.js';
import { ensureImage } from './images.js';
import { textOfFrames } from './log-frames.js';
import { LABELS, Ownership, sliceIdOf } from './ownership.js';
import { PrivateNetworks, type PrivateNetworksOptions } from './private-networks.js';
import { PublishedPorts } from './published-ports.js';
import { SliceNetworks } from './slice-networks.js';
import { usageOf } from './usage.js';

/** The words of the engine's list for what its inspection calls `Running`. */
const RUNNING: ReadonlySet<string> = new Set(['running', 'paused', 'restarting']);

export interface DockerRuntimeOptions extends ContainerPolicy {
  installationId: string;
  /** As in DOCKER_HOST; null: the engine's usual socket. */
  host: string | null;
  /**
   * Null: the gateway is a process of this host, and slices are published on loopback ports. Else the gateway is a
   * container, and this says what networks it shares with each slice.
   */
  network: PrivateNetworksOptions | null;
  /** How long an instance that is replaced may take to end. Default 10 s. */
  replaceGraceMs?: number;
}

/**
 * One container per slice on a Docker Engine, by its API. Everything of a slice bears its installation's label;
 * whatever does not is never touched, even under a name of ours.
 */
export class DockerRuntime extends SliceRuntime {
  override readonly kind = 'docker';
  readonly #docker: Docker;
  /** For what may say nothing for as long as it likes. */
  readonly #patient: Docker;
  readonly #ownership: Ownership;
  readonly #addressing: Addressing;
  readonly #networks: SliceNetworks;
  readonly #volumes: DataVolumes;
  readonly #policy: ContainerPolicy;
  readonly #replaceGraceMs: number;

  constructor(options: DockerRuntimeOptions) {
    super();
    this.#docker = connectEngine(options.host);
    this.#patient = connectEngine(options.host, 0);
    this.#ownership = new Ownership(options.installationId);
    this.#addressing =
      options.network === null
        ? new PublishedPorts(this.#docker, this.#ownership)
        : new PrivateNetworks(this.#docker, this.#ownership, options.network);
    this.#networks = new SliceNetworks(this.#docker, this.#ownership);
    this.#volumes = new DataVolumes(this.#docker, this.#ownership);
    this.#policy = options;
    this.#replaceGraceMs = options.replaceGraceMs ?? 10_000;
  }

  override async check(): Promise<void> {
    await ask(this.#docker.ping());
  }

  override async start(spec: SliceSpec, signal?: AbortSignal): Promise<SliceInstance> {
    const running = await this.inspect(spec.id);
    if (running?.state === 'running' && running.generation === spec.generation) return running;
    if (running !== null) await this.#removeContainer(spec.id, this.#replaceGraceMs);
    signal?.throwIfAborted();
    if (spec.image === null) throw new StartFailedError('the slice has no image to run');
    const portBindings = this.#addressing.portBindings(spec);
    const image = await ensureImage(this.#docker, spec.image, signal);
    signal?.throwIfAborted();
    // The volume first: whatever a kill -9 leaves from here on is found by it.
    await this.#volumes.ensure(spec.id, image);
    const network = await this.#addressing.open(spec.id);
    // Before the slice starts: its first look is for its database.
    await this.#addressing.join(spec.id);
    signal?.throwIfAborted();
    const options = containerOptions({
      spec,
      // The very image the volume was handed over for, wherever its tag points by now.
      image: image.Id,
      ownership: this.#ownership,
      policy: this.#policy,
      network,
      portBindings,
    });
    const container = await ask(this.#docker.createContainer(options));
    await this.#startContainer(container, spec);
    return this.#instance(await ask(container.inspect()));
  }

  override async inspect(sliceId: number): Promise<SliceInstance | null> {
    const info = await this.#find(sliceId);
    if (info === null) return null;
    // The gateway may be another container than the one that started it.
    if (info.State.Running) await this.#addressing.join(sliceId);
    return this.#instance(info);
  }

  override reach(sliceId: number): Promise<void> {
    return this.#addressing.join(sliceId);
  }

  override async stop(sliceId: number, graceMs: number): Promise<void> {
    await this.#removeContainer(sliceId, graceMs);
    await this.#volumes.tidy(sliceId);
    await this.#networks.remove(sliceId);
  }

  override async removeData(sliceId: number): Promise<void> {
    await this.stop(sliceId, 0);
    await this.#volumes.remove(sliceId);
  }

  /** One call, however many there are: to inspect a thousand containers takes an engine longer than a pass waits. */
  override async list(): Promise<ListedInstance[]> {
    const all = await ask(this.#docker.listContainers({ all: true, filters: this.#ownership.filters }));
    return all.map(({ Labels, State }) => ({
      sliceId: sliceIdOf(Labels),
      generation: Number(Labels[LABELS.generation]),
      state: RUNNING.has(State) ? 'running' : 'exited',
    }));
  }

  override listData(): Promise<number[]> {
    return this.#volumes.list();
  }

  override listNetworks(): Promise<number[]> {
    return this.#networks.list();
  }

  override async logs(sliceId: number, lines: number): Promise<string> {
    if ((await this.#find(sliceId)) === null) return '';
    return textOfFrames(
      await ask(this.#container(sliceId).logs({ stdout: true, stderr: true, tail: Math.max(0, lines) })),
    );
  }

  override followLogs(sliceId: number, lines: number, signal: AbortSignal): AsyncIterable<string> {
    return followLogs(this.#patient, this.#ownership.nameOf(sliceId), lines, signal);
  }

  override async usage(sliceId: number): Promise<SliceUsage | null> {
    const info = await this.#find(sliceId);
    if (info?.State.Running !== true) return null;
    // One shot: else the engine waits a second for a second reading.
    return usageOf(await ask(this.#container(sliceId).stats({ stream: false, 'one-shot': true })));
  }

  override shutdown(): Promise<void> {
    return Promise.resolve();
  }

  async #startContainer(container: Docker.Container, spec: SliceSpec): Promise<void> {
    try {
      await ask(container.start());
    } catch (cause) {
      if (!(cause instanceof EngineRefusal)) throw cause;
      // A failed start leaves the container as created.
      await find(container.remove({ force: true, v: true }));
      if (spec.port !== null && isPortConflict(cause)) throw new PortTakenError(spec.port, { cause });
      throw new StartFailedError(`the engine can't start the slice: ${cause.reason}`, '', { cause });
    }
  }

  async #removeContainer(sliceId: number, graceMs: number): Promise<void> {
    const info = await this.#find(sliceId);
    if (info === null) return;
    const container = this.#docker.getContainer(info.Id);
    // The engine counts the grace, so that it ends also when this process does. 304: it does not run.
    if (info.State.Running) await askUnless([304, 404], container.stop({ t: Math.ceil(graceMs / 1000) }));
    // `v` takes volumes the image declares along, never the slice's own, which has a name.
    await find(container.remove({ force: true, v: true }));
  }

  async #find(sliceId: number): Promise<Docker.ContainerInspectInfo | null> {
    const info = await find(this.#container(sliceId).inspect());
    if (info !== null) this.#ownership.assertOurs(`container ${info.Name}`, info.Config.Labels);
    return info;
  }

  #container(sliceId: number): Docker.Container {
    return this.#docker.getContainer(this.#ownership.nameOf(sliceId));
  }

  #instance(info: Docker.ContainerInspectInfo): SliceInstance {
    const { Running, Status, ExitCode, StartedAt } = info.State;
    const wasStarted = Status !== 'created';
    return {
      sliceId: sliceIdOf(info.Config.Labels),
      generation: Number(info.Config.Labels[LABELS.generation]),
      ref: info.Id,
      state: Running ? 'running' : 'exited',
      ...(!Running && wasStarted ? { exitCode: ExitCode } : {}),
      ...this.#addressing.endpoint(info),
      startedAt: new Date(wasStarted ? StartedAt : info.Created),
    };
  }
}

/**
 * The engine has no code for it, and two wordings: "port is already allocated" when another container has it,
 * "address already in use" when a process of the host has.
 */
function isPortConflict({ reason }: EngineRefusal): boolean {
  return /port is already allocated|address already in use/.test(reason);
}
