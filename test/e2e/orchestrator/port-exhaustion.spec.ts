import { describe, expect, it } from '@jest/globals';
import { randomInt } from 'node:crypto';
import type { Server } from 'node:net';
import type { Answer } from '../../support/clients.js';
import { eventually } from '../../support/eventually.js';
import { closeServer, occupyPort } from '../../support/free-port.js';
import type { Gateway } from '../../support/gateway.js';
import { Installation } from '../../support/installation.js';
import { worldOf } from '../../support/slice-world.js';

const PORTS = 20;
const REQUESTS = 50;

/** Ports in a row, below the ephemeral ones, on none of which anything listens at this moment. */
async function portRange(): Promise<{ from: number; to: number }> {
  for (;;) {
    const from = randomInt(10_000, 32_000);
    const ports = Array.from({ length: PORTS }, (_, index) => from + index);
    const probes = await Promise.allSettled(ports.map((port) => occupyPort(port)));
    const free = probes.filter((probe) => probe.status === 'fulfilled');
    await Promise.all(free.map(({ value }) => closeServer(value)));
    if (free.length === PORTS) return { from, to: from + PORTS - 1 };
  }
}

function provisionAtOnce(gateway: Gateway): Promise<Answer[]> {
  return Promise.all(Array.from({ length: REQUESTS }, () => gateway.operator().provision()));
}

/** @returns the ids of the slices that came up; every other answer said clearly that there is no port */
function expectClearAnswers(answers: readonly Answer[]): number[] {
  for (const { status, headers, body } of answers) {
    if (status === 201) continue;
    expect(body).toMatchObject({ code: 'NO_FREE_PORT', error: 'no_free_port', route: 'orchestrator' });
    expect(body).toMatchObject({ status: 503, requestId: expect.any(String), timestamp: expect.any(String) });
    expect(status).toBe(503);
    expect(headers.get('retry-after')).not.toBeNull();
  }
  return answers.filter(({ status }) => status === 201).map(({ body }) => body.id);
}

describe(`${REQUESTS} provisions at once over ${PORTS} ports`, () => {
  it('make a slice for each port, refuse the others, and leave nothing of those', async () => {
    await using installation = await Installation.create();
    const { from, to } = await portRange();
    await using gateway = await installation.open({ env: { SLICE_PORT_RANGE: `${from}-${to}` } });

    const slices = expectClearAnswers(await provisionAtOnce(gateway));
    expect(slices).toHaveLength(PORTS);
    expect(await installation.look()).toEqual(worldOf(slices));
    const status = await gateway.operator().get('/orchestrator/status');
    expect(status.body).toMatchObject({ slices: { total: PORTS, active: PORTS }, orphans: [] });
  }, 60_000);

  it('do so around the ports that strangers listen on', async () => {
    await using installation = await Installation.create();
    const { from, to } = await portRange();
    const strangers: Server[] = [];
    for (const offset of [0, 7, 8, 19]) strangers.push(await occupyPort(from + offset));
    try {
      await using gateway = await installation.open({ env: { SLICE_PORT_RANGE: `${from}-${to}` } });

      const answers = await provisionAtOnce(gateway);
      const slices = expectClearAnswers(answers);
      expect(slices).toHaveLength(PORTS - strangers.length);
      await eventually(async () => expect(await installation.look()).toEqual(worldOf(slices)));
      const taken = await installation.query<{ port: number }>(
        'SELECT port FROM slice_port WHERE slice_id IS NOT NULL AND port = ANY($1)',
        [[0, 7, 8, 19].map((offset) => from + offset)],
      );
      expect(taken).toEqual([]);
    } finally {
      await Promise.all(strangers.map(closeServer));
    }
  }, 60_000);
});
