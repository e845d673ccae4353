import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES, customerWith } from '../support/assigned-slices.js';
import { EchoApp } from '../support/echo.js';
import { Gateway } from '../support/gateway.js';
import { RawClient } from '../support/raw-client.js';

/** A load balancer sends everybody's requests over the few connections that it keeps open. */
let apps: EchoApp[];
let gateway: Gateway;

beforeAll(async () => {
  apps = [await EchoApp.start('ada'), await EchoApp.start('eve')];
  gateway = await Gateway.start(ASSIGNED_SLICES);
}, 30_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  for (const app of apps) await app[Symbol.asyncDispose]();
});

it('takes nobody for whoever sent the request before on the same connection', async () => {
  const [ada, eve] = await Promise.all(apps.map((app) => customerWith(gateway, app)));
  using connection = await RawClient.connect(Number(new URL(gateway.url).port));
  const adas = ada?.browser.cookie ?? '';
  const eves = eve?.browser.cookie ?? '';

  async function answerTo(cookies: string): Promise<string> {
    connection.received = '';
    const line = cookies === '' ? '' : `Cookie: ${cookies}\r\n`;
    connection.write(`GET /api/whoever HTTP/1.1\r\nHost: a\r\n${line}\r\n`);
    await connection.until('\r\n\r\n');
    const answer = await connection.until('}');
    return /"(?:sliceId|code)":"(\w+)"/.exec(answer)?.[1] ?? answer;
  }

  const asked = [adas, eves, adas, adas, '', eves, `a=1; ${eves}`, `${adas}; ${eves}`, adas];
  const answers: string[] = [];
  for (const cookies of asked) answers.push(await answerTo(cookies));
  expect(answers).toEqual([
    'ada',
    'eve',
    'ada',
    'ada',
    'UNAUTHENTICATED',
    'eve',
    'eve',
    'AMBIGUOUS_SESSION',
    'ada',
  ]);
  await ada?.browser.logout();
  expect(await answerTo(adas)).toBe('UNAUTHENTICATED');
});
