import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { GatewayProcess } from '../../support/gateway-process.js';
import { getJson } from '../../support/get-json.js';
import { Installation } from '../../support/installation.js';
import { processesBelow, worldOf } from '../../support/slice-world.js';

let installation: Installation;

beforeEach(async () => {
  installation = await Installation.create();
});

afterEach(() => installation[Symbol.asyncDispose]());

describe('a gateway that is told to stop', () => {
  it('leaves no slice running, and the next one brings them back with their data', async () => {
    await using second = GatewayProcess.load(); // while the first works
    await using first = await GatewayProcess.start(installation);
    const { body: kept } = await first.operator().provision();
    const { body: stopped } = await first.operator().provision();
    await first.operator().post(`/orchestrator/slices/${stopped.id}/stop`);
    const url = `http://${kept.host}:${kept.port}`;
    await getJson(`${url}/write?name=kept&text=data`);

    await first.stop();
    expect(await processesBelow(installation.dataDir)).toEqual([]);
    expect(await installation.look()).toEqual({ ...worldOf([kept.id, stopped.id]), instances: [] });

    await second.begin(installation);
    await eventually(async () => expect(await getJson(`${url}/read?name=kept`)).toEqual({ text: 'data' }));
    expect(await installation.settled()).toEqual([kept.id, stopped.id]);
    expect((await installation.look()).instances).toEqual([kept.id]);
    await second.stop();
  });

  it('does not wait for a slice that does not come up, nor leave it behind', async () => {
    await using first = await GatewayProcess.start(installation);
    await first.operator().post('/orchestrator/provision?wait=false', { env: { UNHEALTHY: '1' } });
    await eventually(async () => expect(await processesBelow(installation.dataDir)).toHaveLength(1));
    const begun = performance.now();
    await first.stop();
    // It may take a minute to start; a stop has two seconds for requests that are under way.
    expect(performance.now() - begun).toBeLessThan(8000);
    expect(await processesBelow(installation.dataDir)).toEqual([]);
  });
});

describe('a gateway that is killed', () => {
  it('leaves the slices running, and the next one takes them over as they are', async () => {
    await using second = GatewayProcess.load(); // while the first works
    await using first = await GatewayProcess.start(installation);
    const { body: slice } = await first.operator().provision();
    const before = await processesBelow(installation.dataDir);
    await first.kill();
    expect(await getJson(`http://${slice.host}:${slice.port}/health`)).toEqual({
      ok: true,
      pid: before[0]?.pid,
    });

    await second.begin(installation);
    const restarted = await second.operator().post(`/orchestrator/slices/${slice.id}/start`);
    expect(restarted).toMatchObject({ status: 200, body: { status: 'active', port: slice.port } });
    expect(await processesBelow(installation.dataDir)).toEqual(before);
    await second.stop();
    expect(await processesBelow(installation.dataDir)).toEqual([]);
  });
});
