import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  buildTinyApp,
  describeWithDocker,
  docker,
  removeInstallation,
  TEST_SUBNETS,
  TINY_APP_IMAGE,
} from '../../support/docker.js';
import { GatewayProcess } from '../../support/gateway-process.js';
import { Installation } from '../../support/installation.js';
import { type CrashScene, expectAllOrNone, killAtEachStep } from '../../support/kill-at-each-step.js';
import { containerSlices } from '../../support/slice-world.js';
import { soak } from '../../support/soak.js';

const SLICES = { SLICE_RUNTIME: 'docker', SLICE_IMAGE: TINY_APP_IMAGE };

/** Containers take their time. The other runtime's test takes more of the steps they have in common. */
const STRIDE = soak(1, 9);

async function sceneWith(env: NodeJS.ProcessEnv, standIn?: string): Promise<CrashScene & AsyncDisposable> {
  const installation = await Installation.create({ ...SLICES, ...env });
  const [row] = await installation.query<{ id: string }>('SELECT id FROM installation');
  const id = row?.id ?? '';
  const { database, dataDir, env: whole } = installation;
  return {
    installation,
    setting: { database, dataDir, env: whole, ...(standIn === undefined ? {} : { standIn }) },
    find: () => containerSlices(id),
    reached: standIn === undefined ? 'ports' : 'networks',
    async [Symbol.asyncDispose]() {
      await removeInstallation(id);
      await installation[Symbol.asyncDispose]();
    },
  };
}

/** Destroys what is left, by a gateway that nobody kills, and makes sure that nothing stays behind. */
async function expectCleanEnd(scene: CrashScene): Promise<void> {
  const last = await GatewayProcess.start(scene.setting);
  for (const slice of await scene.installation.settled()) await last.operator().destroy(slice);
  expect(await expectAllOrNone(scene)).toEqual([]);
  await last.stop();
}

describeWithDocker('a gateway that is killed while its slices are containers', () => {
  beforeAll(buildTinyApp, 120_000);

  it('leaves all of a slice or nothing, once the next one has started', async () => {
    await using scene = await sceneWith({});
    const { creation, destruction } = await killAtEachStep(scene, { moment: 'after', stride: STRIDE });
    expect(creation.filter((step) => step.includes('/'))).toEqual([
      'POST /volumes/create',
      'POST /containers/create',
      'PUT /containers/*/archive',
      'DELETE /containers/*',
      'POST /containers/create',
      'POST /containers/*/start',
    ]);
    expect(destruction.filter((step) => step.includes('/'))).toEqual([
      'POST /containers/*/stop',
      'DELETE /containers/*',
      'DELETE /volumes/*',
    ]);
    await expectCleanEnd(scene);
  }, 600_000);
});

describeWithDocker('a gateway that is killed while each slice has a network of its own', () => {
  const name = `sluice-test-gateway-${randomUUID().slice(0, 8)}`;

  beforeAll(async () => {
    await buildTinyApp();
    const standIn = await docker.createContainer({ name, Image: TINY_APP_IMAGE, HostConfig: { Init: true } });
    await standIn.start();
  }, 120_000);

  afterAll(() => docker.getContainer(name).remove({ force: true }));

  it('leaves all of a slice or nothing, once the next one has started', async () => {
    const env = { SLICE_NETWORK: `net-${name.slice(-8)}`, SLICE_SUBNETS: TEST_SUBNETS };
    await using scene = await sceneWith(env, name);
    const { creation, destruction } = await killAtEachStep(scene, { moment: 'after', stride: STRIDE });
    expect(creation).toEqual(expect.arrayContaining(['POST /networks/create', 'POST /networks/*/connect']));
    expect(destruction).toEqual(
      expect.arrayContaining(['POST /networks/*/disconnect', 'DELETE /networks/*']),
    );
    await expectCleanEnd(scene);
  }, 600_000);
});
