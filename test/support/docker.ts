import { describe } from '@jest/globals';
import Docker from 'dockerode';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The image of test/support/tiny-app.mjs, run as the unprivileged user `node`. */
export const TINY_APP_IMAGE = 'sluice-test/tiny-app:latest';

/** The image of the notes app. */
export const NOTES_IMAGE = 'sluice/notes';

/** Where the networks of tests' slices lie: elsewhere than those of a gateway on the same engine by default. */
export const TEST_SUBNETS = '10.214.0.0/16';

/** The machine's Docker Engine, as tests see it. */
export const docker = new Docker();

const whyNoEngine = await docker.ping().then(
  () => null,
  (error: unknown) => String(error),
);

/**
 * A `describe` of what needs a real Docker Engine. Where there is none the tests are reported as skipped, with the
 * reason in their title; CI fails if any are.
 */
export function describeWithDocker(title: string, body: () => void): void {
  if (whyNoEngine === null) describe(title, body);
  else describe.skip(`${title} [needs a Docker Engine: ${whyNoEngine}]`, body);
}

/** Builds the test app's image from the base image the project's own images have. Quick when nothing has changed. */
export async function buildTinyApp(): Promise<void> {
  const context = resolve('test/support');
  await build(TINY_APP_IMAGE, `${context}/tiny-app.Dockerfile`, context);
}

/** Builds the notes app's image as README.md says. Quick when nothing has changed. */
export async function buildNotes(): Promise<void> {
  await build(NOTES_IMAGE, 'apps/notes/Dockerfile', '.');
}

async function build(tag: string, dockerfile: string, context: string): Promise<void> {
  await run(
    'docker',
    ['build', '--quiet', '--network', 'host', '--tag', tag, '--file', dockerfile, context],
    { env: { ...process.env, DOCKER_BUILDKIT: '0' } },
  );
}

/** Names of every container, network and volume, helpers included, that bears an installation's label. */
export async function labelledResources(installationId: string): Promise<string[]> {
  const filters = { label: [`sluice.installation=${installationId}`] };
  const [containers, networks, { Volumes: volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters }),
  ]);
  return [
    ...containers.map(({ Names }) => `container ${Names.join()}`),
    ...networks.map(({ Name }) => `network ${Name}`),
    ...volumes.map(({ Name }) => `volume ${Name}`),
  ];
}

/** Removes the networks of an installation's slices, whoever is still on them. */
export async function removeNetworks(installationId: string): Promise<void> {
  const filters = { label: [`sluice.installation=${installationId}`] };
  for (const { Id } of await docker.listNetworks({ filters })) {
    const network = docker.getNetwork(Id);
    const { Containers } = Object(await network.inspect());
    for (const id of Object.keys(Containers)) await network.disconnect({ Container: id, Force: true });
    await network.remove();
  }
}

/** Removes whatever an installation has on the engine: for a gateway that is gone. */
export async function removeInstallation(installationId: string): Promise<void> {
  const filters = { label: [`sluice.installation=${installationId}`] };
  for (const { Id } of await docker.listContainers({ all: true, filters })) {
    await docker.getContainer(Id).remove({ force: true, v: true });
  }
  for (const { Name } of (await docker.listVolumes({ filters })).Volumes)
    await docker.getVolume(Name).remove();
  await removeNetworks(installationId);
}
