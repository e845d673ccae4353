import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setInterval as every } from 'node:timers/promises';
import { SettingsInForce } from '#config';
import { Forwarder } from '../../../libs/proxy/src/forward/forwarder.js';
import { ASSIGNED_SLICES } from '../../support/assigned-slices.js';
import { eventually } from '../../support/eventually.js';
import { ADMIN_KEY, Gateway } from '../../support/gateway.js';
import { send } from '../../support/routes.js';
import { soak } from '../../support/soak.js';

const RELOADS = soak(60, 12);
const PER_SECOND = 200;
const SECONDS = soak(30, 5);

/** One server under a new address each time: to the gateway another origin, with connections of its own. */
function configOf(port: number, generation: number): string {
  return JSON.stringify({
    services: { moving: { url: `http://127.0.1.${generation + 1}:${port}/${generation}`, path: '/moving' } },
  });
}

const agent = new Agent({ keepAlive: true, maxSockets: 32 });
const upstream = createServer((req, res) => res.end(req.url));

beforeAll(async () => {
  upstream.listen(0, '0.0.0.0');
  await once(upstream, 'listening');
});

afterAll(() => {
  agent.destroy();
  upstream.closeAllConnections();
  upstream.close();
});

/** Ways to change it; each resolves when the change is in force. */
const CHANGES = {
  'by PUT': async (gateway: Gateway, text: string): Promise<void> => {
    const { status } = await send(gateway.url, '/admin/config', {
      method: 'PUT',
      headers: { 'x-admin-key': ADMIN_KEY, 'content-type': 'application/json' },
      body: text,
    });
    expect(status).toBe(200);
  },
  'in its file': async (gateway: Gateway, text: string): Promise<void> => {
    const changed = Promise.withResolvers<void>();
    const stop = gateway.get(SettingsInForce).onChange(() => changed.resolve());
    await writeFile(join(gateway.dataDir, 'config.yml'), text);
    await changed.promise;
    stop();
  },
} as const;

it.each(['by PUT', 'in its file'] as const)(
  `fails no request while config.yml changes %s ${RELOADS} times, and keeps no connections to where nothing goes`,
  async (how) => {
    const { port } = upstream.address() as AddressInfo;
    await using gateway = await Gateway.start({ ...ASSIGNED_SLICES, configFile: configOf(port, 0) });
    const { hostname, port: gatewayPort } = new URL(gateway.url);
    const answers: string[] = [];
    let generation = 0;

    const ask = async (): Promise<void> => {
      const known = generation;
      const sent = request({ hostname, port: gatewayPort, path: '/moving/x', agent }).end();
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      const body = (await answer.toArray()).join('');
      const [, at = ''] = body.split('/');
      // Never to where it went before the last change that was confirmed, nor to what has not been asked for.
      const right = Number(at) >= known && Number(at) <= generation + 1 && body === `/${at}/x`;
      answers.push(answer.statusCode === 200 && right ? 'right' : `${answer.statusCode} ${body}`);
    };

    const reload = async (): Promise<void> => {
      await CHANGES[how](gateway, configOf(port, generation + 1));
      generation++;
    };

    const asked: Promise<void>[] = [];
    let change: Promise<void> = Promise.resolve();
    const total = PER_SECOND * SECONDS;
    for await (const _ of every(1000 / PER_SECOND)) {
      asked.push(ask());
      if (asked.length % Math.floor(total / RELOADS) === 0) {
        change = change.then(reload);
      }
      if (asked.length >= total) break;
    }
    await Promise.all([...asked, change]);
    expect(generation).toBeGreaterThanOrEqual(RELOADS - 1);
    expect(new Set(answers)).toEqual(new Set(['right']));
    expect(answers.length).toBe(total);

    const { origins } = gateway.get(Forwarder);
    expect(origins.length).toBeGreaterThan(0);
    await eventually(async () => {
      await ask();
      expect(gateway.get(Forwarder).origins).toEqual([`http://127.0.1.${generation + 1}:${port}`]);
    }, 30_000);
  },
  soak(120_000, 60_000),
);
