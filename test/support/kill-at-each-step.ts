import { expect } from '@jest/globals';
import type { Answer } from './clients.js';
import type { Moment } from './crash-points.js';
import { eventually } from './eventually.js';
import type { GatewaySetting } from './gateway-child.js';
import { GatewayProcess } from './gateway-process.js';
import type { Installation } from './installation.js';
import type { HostWorld } from './slice-world.js';
import { worldOf } from './slice-world.js';

/** Where gateways come and go while slices are made and destroyed. */
export interface CrashScene {
  readonly installation: Installation;
  readonly setting: GatewaySetting;
  /** What there is of slices outside the database. */
  readonly find: () => Promise<HostWorld>;
  readonly reached: 'ports' | 'networks';
}

/** Which steps it is killed at: every `stride`-th, from the first on. */
export interface Kills {
  readonly moment: Moment;
  readonly stride: number;
}

type Operation = (gateway: GatewayProcess, slices: readonly number[]) => Promise<Answer>;

/**
 * Kills a gateway at the steps of a slice's creation, and then of a destruction, each time letting the next gateway heal
 * what is left, until one comes to the end unharmed.
 * @returns the steps that there were
 */
export async function killAtEachStep(
  scene: CrashScene,
  kills: Kills,
): Promise<{ creation: readonly string[]; destruction: readonly string[] }> {
  const creation = await killDuring(scene, kills, (gateway) => gateway.operator().provision());
  const destruction = await killDuring(scene, kills, (gateway, [slice]) => {
    if (slice === undefined) throw new Error('no slice is left to be destroyed');
    return gateway.operator().destroy(slice);
  });
  return { creation, destruction };
}

async function killDuring(scene: CrashScene, kills: Kills, operate: Operation): Promise<readonly string[]> {
  let next = GatewayProcess.load();
  try {
    for (let nth = 1; ; nth += kills.stride) {
      await using gateway = next;
      await gateway.begin(scene.setting);
      const slices = await expectAllOrNone(scene);
      next = GatewayProcess.load(); // while this one works
      await gateway.crashAt(kills.moment, nth);
      const answer = await operate(gateway, slices).catch(() => null);
      if (answer !== null) {
        expect(answer.status).toBeLessThan(300);
        const steps = await gateway.steps();
        await gateway.kill();
        return steps;
      }
      await gateway.end(); // by its own hand: a request that failed for another reason would wait here for ever
    }
  } finally {
    await next.kill();
  }
}

/** @returns the slices that there are */
export async function expectAllOrNone({
  installation,
  find,
  reached,
}: CrashScene): Promise<readonly number[]> {
  return eventually(async () => {
    const slices = await installation.settled();
    expect(await installation.look(find)).toEqual(worldOf(slices, reached));
    return slices;
  }, 30_000);
}
