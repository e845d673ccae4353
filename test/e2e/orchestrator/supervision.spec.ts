import { afterEach, describe, expect, it } from '@jest/globals';
import { Clock, SystemClock } from '#common';
import { SliceRuntime } from '#orchestrator';
import type { Answer } from '../../support/clients.js';
import { eventually } from '../../support/eventually.js';
import { getJson } from '../../support/get-json.js';
import type { Gateway } from '../../support/gateway.js';
import { Installation } from '../../support/installation.js';
import { TestClock } from '../../support/test-clock.js';

let installation: Installation;
let gateway: Gateway;

async function start(env: NodeJS.ProcessEnv = {}, clock: Clock = new SystemClock()): Promise<void> {
  installation = await Installation.create(env);
  gateway = await installation.open({
    override: (builder) => builder.overrideProvider(Clock).useValue(clock),
  });
}

afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  await installation[Symbol.asyncDispose]();
});

/** How often the runtime is told to start a slice from now on. */
function countStarts(): Map<number, number> {
  const starts = new Map<number, number>();
  const runtime = gateway.get(SliceRuntime);
  const original = runtime.start.bind(runtime);
  runtime.start = (spec, signal) => {
    starts.set(spec.id, (starts.get(spec.id) ?? 0) + 1);
    return original(spec, signal);
  };
  return starts;
}

/** The process of the tiny app. */
async function pidAt(url: string): Promise<number> {
  const { pid } = (await getJson(`${url}/health`)) as { pid: number };
  return pid;
}

describe('a slice whose app crashes', () => {
  it('is started again by itself, at the same address and with its data', async () => {
    await start();
    const { body: slice } = await gateway.operator().provision();
    const url = `http://${slice.host}:${slice.port}`;
    const pid = await pidAt(url);
    process.kill(pid, 'SIGKILL');
    await eventually(async () => {
      expect(await pidAt(url)).not.toBe(pid);
      const { body } = await gateway.operator().get(`/orchestrator/slices/${slice.id}`);
      expect(body.status).toBe('active');
    }, 15_000);
  });
});

describe('a slice whose app does not come up', () => {
  it('is failed, and says with which exit code the app ended', async () => {
    await start();
    const { status, body } = await gateway.operator().provision({ env: { CRASH: 'no licence' } });
    expect(status).toBe(502);
    expect(body.code).toBe('SLICE_PROVISIONING_FAILED');
    expect(body.message).toContain('ended with exit code 3 before it answered /health');
    expect(body.message).not.toContain('no licence');

    const [slice] = (await gateway.operator().get('/orchestrator/slices')).body;
    expect(slice).toMatchObject({ status: 'failed', error: expect.stringContaining('exit code 3') });
    // What was wrong can be put right.
    const path = `/orchestrator/slices/${slice.id}`;
    const mended = await gateway.operator().send('PATCH', path, { body: { env: {} } });
    expect(mended).toMatchObject({ status: 200, body: { id: slice.id, status: 'active' } });
    expect(mended.body.error).toBeUndefined();
  });

  it('is failed when it never gets healthy, does not go on running, and is tried again ever more rarely', async () => {
    const clock = new TestClock();
    await start({ SLICE_START_TIMEOUT: '1' }, clock);
    const starts = countStarts();
    const sick = (): Promise<Answer> => gateway.operator().provision({ env: { UNHEALTHY: '1' } });
    const { status, body } = await sick();
    expect(status).toBe(502);
    expect(body.message).toContain('did not answer /health with 2xx within 1 s');
    const [{ id }] = (await gateway.operator().get('/orchestrator/slices')).body;

    // Once more at once; then not while the time stands still, though others take their seconds to fail.
    await eventually(async () => expect(starts.get(id)).toBe(2));
    await sick();
    await sick();
    expect(starts.get(id)).toBe(2);
    clock.advance(2000);
    await eventually(async () => expect(starts.get(id)).toBe(3));
    await eventually(async () => expect((await installation.look()).instances).toEqual([]));
  }, 40_000);

  it('holds up neither its own end nor the other slices', async () => {
    await start({ SLICE_START_TIMEOUT: '60' });
    const operator = gateway.operator();
    const pending = [];
    for (let count = 0; count < 3; count += 1)
      pending.push(await operator.post('/orchestrator/provision?wait=false', { env: { UNHEALTHY: '1' } }));
    expect((await operator.provision()).status).toBe(201);
    for (const { body } of pending) expect((await operator.destroy(body.id)).status).toBe(200);
  }, 20_000);
});
