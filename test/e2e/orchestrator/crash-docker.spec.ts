import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { buildTinyApp, describeWithDocker, removeNetworks, TINY_APP_IMAGE } from '../../support/docker.js';
import { eventually } from '../../support/eventually.js';
import { GatewayProcess } from '../../support/gateway-process.js';
import { Installation } from '../../support/installation.js';
import { containerSlices, type SliceWorld, worldOf } from '../../support/slice-world.js';
import { soak } from '../../support/soak.js';

/** Of the steps, every so many: containers take their time. The other runtime's test takes every step. */
const STRIDE = soak(1, 6);

describeWithDocker('a gateway that is killed while its slices are containers', () => {
  let installation: Installation;
  let id = '';
  const look = (): Promise<SliceWorld> => installation.look(() => containerSlices(id));

  beforeAll(async () => {
    await buildTinyApp();
    installation = await Installation.create({ SLICE_RUNTIME: 'docker', SLICE_IMAGE: TINY_APP_IMAGE });
    const [row] = await installation.query<{ id: string }>('SELECT id FROM installation');
    id = row?.id ?? '';
  }, 120_000);

  afterAll(async () => {
    const last = await GatewayProcess.start(installation);
    for (const slice of await installation.settled()) await last.operator().destroy(slice);
    expect(await look()).toEqual(worldOf([]));
    await last.stop();
    await removeNetworks(id);
    await installation[Symbol.asyncDispose]();
  }, 60_000);

  async function expectAllOrNone(): Promise<readonly number[]> {
    return eventually(async () => {
      const slices = await installation.settled();
      expect(await look()).toEqual(worldOf(slices));
      return slices;
    }, 30_000);
  }

  it('leaves all of a slice or nothing, once the next one has started', async () => {
    let survived = false;
    for (let nth = 1; !survived; nth += STRIDE) {
      const gateway = await GatewayProcess.start(installation);
      await expectAllOrNone();
      await gateway.crashAt('after', nth);
      survived = await gateway
        .operator()
        .provision()
        .then(
          ({ status }) => status === 201,
          () => false,
        );
      await gateway.kill();
    }
    for (let nth = 1; ; nth += STRIDE) {
      const gateway = await GatewayProcess.start(installation);
      const [slice] = await expectAllOrNone();
      if (slice === undefined) {
        await gateway.stop();
        return;
      }
      await gateway.crashAt('after', nth);
      await gateway
        .operator()
        .destroy(slice)
        .catch(() => undefined);
      await gateway.kill();
    }
  }, 300_000);
});
