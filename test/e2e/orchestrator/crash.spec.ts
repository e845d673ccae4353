import { describe, expect, it } from '@jest/globals';
import type { Answer } from '../../support/clients.js';
import type { Moment } from '../../support/crash-points.js';
import { eventually } from '../../support/eventually.js';
import { GatewayProcess } from '../../support/gateway-process.js';
import { Installation } from '../../support/installation.js';
import { worldOf } from '../../support/slice-world.js';

/** After a step, the next one has not begun: the other moment only adds what the database has not committed yet. */
const MOMENTS: readonly Moment[] = process.env['SOAK'] === '1' ? ['after', 'before'] : ['after'];

/**
 * Kills a gateway at each step of an operation in turn, and after each lets the next gateway heal what is left, until
 * one comes to the end of the operation unharmed.
 * @returns how many steps there were
 */
async function killAtEachStep(
  installation: Installation,
  moment: Moment,
  operate: (gateway: GatewayProcess, slices: readonly number[]) => Promise<Answer>,
): Promise<number> {
  let next = GatewayProcess.load();
  try {
    for (let nth = 1; ; nth += 1) {
      await using gateway = next;
      await gateway.begin(installation);
      const slices = await expectAllOrNone(installation);
      next = GatewayProcess.load(); // while this one works
      await gateway.crashAt(moment, nth);
      const answer = await operate(gateway, slices).catch(() => null);
      if (answer !== null) {
        expect(answer.status).toBeLessThan(300);
        await gateway.kill();
        return nth - 1;
      }
      await gateway.end(); // by its own hand: a request that failed for another reason would wait here for ever
    }
  } finally {
    await next.kill();
  }
}

/** @returns the slices that there are */
async function expectAllOrNone(installation: Installation): Promise<readonly number[]> {
  return eventually(async () => {
    const slices = await installation.settled();
    expect(await installation.look()).toEqual(worldOf(slices));
    return slices;
  }, 15_000);
}

describe.each(MOMENTS)('a gateway that is killed %s a step', (moment) => {
  it('leaves all of a slice or nothing, once the next one has started', async () => {
    await using installation = await Installation.create();

    const ofCreation = await killAtEachStep(installation, moment, (gateway) =>
      gateway.operator().provision(),
    );
    // Row, port, password, role, database, process, address, health: fewer steps, and the test has missed some.
    expect(ofCreation).toBeGreaterThan(12);

    const ofDestruction = await killAtEachStep(installation, moment, async (gateway, [slice]) => {
      if (slice === undefined) throw new Error('no slice is left to be destroyed');
      return gateway.operator().destroy(slice);
    });
    expect(ofDestruction).toBeGreaterThan(7);
  }, 300_000);
});
