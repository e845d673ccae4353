import type Docker from 'dockerode';
import { ask, find } from './engine.js';
import { resolveUser } from './image-user.js';
import { sliceIdOf, type Ownership } from './ownership.js';
import { directoryArchive } from './tar.js';

/** Where a slice finds its volume. */
export const DATA_DIR = '/data';

/** The slices' data: one named volume each. */
export class DataVolumes {
  readonly #docker: Docker;
  readonly #ownership: Ownership;

  constructor(docker: Docker, ownership: Ownership) {
    this.#docker = docker;
    this.#ownership = ownership;
  }

  /**
   * Makes sure that the slice has its volume, and that the user `image` runs as may write to it: a new volume is
   * root's unless the image brings the directory along. Done for every new container: another version of the image
   * may run as another user.
   * @throws ForeignResourceError
   */
  async ensure(sliceId: number, image: Docker.ImageInspectInfo): Promise<void> {
    const name = this.#ownership.nameOf(sliceId);
    await ask(this.#docker.createVolume({ Name: name, Labels: this.#ownership.labelsOf(sliceId) }));
    // Creating is idempotent: whatever has that name is taken for created.
    const { Labels } = await ask(this.#docker.getVolume(name).inspect());
    this.#ownership.assertOurs(`volume ${name}`, Labels);
    await this.#handOver(sliceId, image);
  }

  /** Ends what a kill -9 in `ensure` may have left. */
  async tidy(sliceId: number): Promise<void> {
    const helper = this.#docker.getContainer(this.#helperOf(sliceId));
    const info = await find(helper.inspect());
    if (info === null) return;
    this.#ownership.assertOurs(`container ${this.#helperOf(sliceId)}`, info.Config.Labels);
    await find(helper.remove({ force: true, v: true }));
  }

  async remove(sliceId: number): Promise<void> {
    const name = this.#ownership.nameOf(sliceId);
    const volume = this.#docker.getVolume(name);
    const info = await find(volume.inspect());
    if (info === null) return;
    this.#ownership.assertOurs(`volume ${name}`, info.Labels);
    await find(volume.remove());
  }

  async list(): Promise<number[]> {
    const { Volumes } = await ask(this.#docker.listVolumes({ filters: this.#ownership.filters }));
    return Volumes.map(({ Labels }) => sliceIdOf(Labels));
  }

  /**
   * The engine has no call to set a volume's owner, but it extracts archives into containers that never run. The
   * slice's own container won't do: its root is read-only, and an entry for the mount point lies in the root.
   */
  async #handOver(sliceId: number, image: Docker.ImageInspectInfo): Promise<void> {
    await this.tidy(sliceId);
    const helper = await ask(
      this.#docker.createContainer({
        name: this.#helperOf(sliceId),
        Image: image.Id,
        // Never started; an image without a command could not be created without one.
        Cmd: ['true'],
        Labels: this.#ownership.labels,
        HostConfig: { Mounts: [dataMount(this.#ownership.nameOf(sliceId))], NetworkMode: 'none' },
      }),
    );
    try {
      const owner = await resolveUser(helper, image.Config.User);
      await ask(helper.putArchive(directoryArchive(DATA_DIR.slice(1), owner, 0o750), { path: '/' }));
    } finally {
      await this.tidy(sliceId);
    }
  }

  #helperOf(sliceId: number): string {
    return `${this.#ownership.nameOf(sliceId)}-data`;
  }
}

/** The mount of a slice's volume in its container. */
export function dataMount(volume: string): Docker.MountSettings {
  return { Type: 'volume', Source: volume, Target: DATA_DIR };
}
