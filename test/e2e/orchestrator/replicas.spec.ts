import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SliceRuntime } from '#orchestrator';
import { eventually } from '../../support/eventually.js';
import { GatewayProcess } from '../../support/gateway-process.js';
import type { Gateway } from '../../support/gateway.js';
import { Installation } from '../../support/installation.js';
import { processesBelow, worldOf } from '../../support/slice-world.js';

let installation: Installation;

beforeEach(async () => {
  installation = await Installation.create();
});

afterEach(() => installation[Symbol.asyncDispose]());

/** Waits until a slice runs in another process than before. */
async function runsAnew(before: number): Promise<void> {
  await eventually(async () => {
    const [now] = await processesBelow(installation.dataDir);
    if (now === undefined || now.pid === before) throw new Error('the slice is not back yet');
  }, 15_000);
}

/** Counts how often the runtimes begin another process. */
function countLaunches(gateways: readonly Gateway[]): () => number {
  let launches = 0;
  for (const gateway of gateways) {
    const runtime = gateway.get(SliceRuntime);
    const start = runtime.start.bind(runtime);
    runtime.start = async (spec, signal) => {
      const before = await runtime.inspect(spec.id);
      const instance = await start(spec, signal);
      if (instance.ref !== before?.ref) launches += 1;
      return instance;
    };
  }
  return () => launches;
}

describe('two gateways on one database', () => {
  it('look after the slices one at a time, the other when the first is killed', async () => {
    await using leader = await GatewayProcess.start(installation);
    await leader.operator().provision();
    await using follower = await installation.open();
    const [first] = await processesBelow(installation.dataDir);

    process.kill(first?.pid ?? 0, 'SIGKILL');
    await runsAnew(first?.pid ?? 0);

    const [second] = await processesBelow(installation.dataDir);
    await leader.kill();
    process.kill(second?.pid ?? 0, 'SIGKILL');
    await runsAnew(second?.pid ?? 0);
    const slices = await installation.settled();
    expect(await installation.look()).toEqual(worldOf(slices));
    expect((await follower.operator().get('/orchestrator/status')).body.orphans).toEqual([]);
  }, 40_000);

  it('bring a slice about once when both are asked at once', async () => {
    await using one = await installation.open();
    await using other = await installation.open();
    const launches = countLaunches([one, other]);
    const answers = await Promise.all(
      [one, other, one, other].map((gateway) => gateway.operator().provision({ name: 'the-same' })),
    );
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(launches()).toBe(1);

    const path = `/orchestrator/destroy/${answers[0]?.body.id}`;
    const ends = await Promise.all([one, other].map((gateway) => gateway.operator().post(path)));
    expect(ends.map(({ status }) => status)).toEqual([200, 200]);
    expect(await installation.look()).toEqual(worldOf([]));
  });

  it('share the ports and the slices’ budget', async () => {
    await using one = await installation.open();
    await using other = await installation.open();
    const answers = await Promise.all(
      [one, other, one, other, one, other].map((gateway) => gateway.operator().provision()),
    );
    expect(new Set(answers.map(({ body }) => body.port)).size).toBe(6);
  });

  it('leave the slices to the one that stays', async () => {
    await using first = await installation.open();
    await using second = await installation.open();
    await first.operator().provision();
    const before = await processesBelow(installation.dataDir);
    // Whichever of them leads: the slices are there as long as one gateway is.
    await second[Symbol.asyncDispose]();
    expect(await processesBelow(installation.dataDir)).toEqual(before);
    await first[Symbol.asyncDispose]();
    expect(await processesBelow(installation.dataDir)).toEqual([]);
  });
});
