import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES, customerWith } from '../../support/assigned-slices.js';
import { Gateway } from '../../support/gateway.js';
import { refusedUpgrade } from '../../support/sockets.js';
import { StubUpstream } from '../../support/stub-upstream.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let here: Gateway;
let replica: Gateway;
let stranger: Gateway;

beforeAll(async () => {
  here = await Gateway.start(ASSIGNED_SLICES);
  replica = await Gateway.start({ ...ASSIGNED_SLICES, database: here.database, dataDir: here.dataDir });
  stranger = await Gateway.start(ASSIGNED_SLICES);
}, 60_000);

afterAll(async () => {
  await replica[Symbol.asyncDispose]();
  await here[Symbol.asyncDispose]();
  await stranger[Symbol.asyncDispose]();
});

function portOf({ url }: Gateway): number {
  return Number(new URL(url).port);
}

describe('A slice that sends its requests back', () => {
  it.each([
    ['to the gateway they came from', () => here],
    ['to a replica of it', () => replica],
  ])('%s is a loop, and goes round once', async (_where, next) => {
    const { browser } = await customerWith(here, { port: portOf(next()) });
    expect(await browser.get('/api/x')).toMatchObject({
      status: 508,
      body: { code: 'LOOP_DETECTED', route: 'proxy' },
    });
    const refusal = await refusedUpgrade(`${here.url}/api/live`, { cookie: browser.cookie });
    expect(refusal).toMatchObject({ status: 508, body: { code: 'LOOP_DETECTED' } });
  });

  it('to another installation is none', async () => {
    const { browser } = await customerWith(here, { port: portOf(stranger) });
    // Signed in there as nobody: the request has got that far.
    expect(await browser.get('/api/x')).toMatchObject({ status: 401 });
  });
});

describe('A request that has been here', () => {
  it('reaches no upstream', async () => {
    await using upstream = await StubUpstream.start(OK);
    const { browser } = await customerWith(here, upstream);
    expect((await browser.get('/api/x')).status).toBe(200);
    const [via] = /(?<=\r\nvia: ).*/i.exec(upstream.received) ?? [];
    expect(await browser.get('/api/x', { headers: { via: `1.0 fred, ${via}` } })).toMatchObject({
      status: 508,
    });
    expect(upstream.connections).toHaveLength(1);
    expect(upstream.received.match(/GET /g)).toHaveLength(1);
  });
});
