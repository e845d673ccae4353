import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Notifier } from '#common';
import { DiskSpace } from '../../../libs/monitor/src/health/disk-space.js';
import { Channels } from '../../../libs/monitor/src/notices/channels.js';
import type { Condition } from '../../../libs/monitor/src/outages/condition.js';
import { MonitorPass } from '../../../libs/monitor/src/watch/monitor-pass.js';
import { Outages } from '../../../libs/monitor/src/outages/outages.js';
import { eventually } from '../../support/eventually.js';
import { MINUTE_MS, MonitorWorld, type MonitorWorldOptions } from '../../support/monitor-world.js';
import { NoticeReceiver } from '../../support/notice-receiver.js';
import { quietLogger } from '../../support/quiet-logger.js';

const HOUR_MS = 60 * MINUTE_MS;
const SECRET = 'the secret of the webhook';

let receiver: NoticeReceiver;
let world: MonitorWorld;

beforeEach(async () => {
  receiver = await NoticeReceiver.start();
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

async function start(env: NodeJS.ProcessEnv = {}, options: MonitorWorldOptions = {}): Promise<void> {
  world = await MonitorWorld.start({ ...options, env: { ...apprise(), ...env } });
}
const apprise = () => ({ APPRISE_URL: `http://user:s3cret@127.0.0.1:${receiver.port}/notify/key` });
const webhook = () => ({
  NOTIFY_WEBHOOK_URL: `http://127.0.0.1:${receiver.port}/hook`,
  NOTIFY_WEBHOOK_SECRET: SECRET,
});

/** What a gateway says of a backend where nothing listens. */
const told = async ({ gateway }: MonitorWorld) =>
  (await gateway.operator().get('/admin/health')).body['http://127.0.0.1:9'];

/** A pass later by so much. */
async function passAfter(ms: number): Promise<void> {
  world.clock.advance(ms);
  await world.pass();
}

/** Nobody restarts the slices: their restarts are not what this is about. */
const runElsewhere = () => world.query(`UPDATE slice SET runtime = 'external'`);

/** So many percent of a gateway's disk are used. */
function fill({ gateway }: MonitorWorld, used: number): void {
  jest.spyOn(gateway.get(DiskSpace), 'look').mockResolvedValue({ total: 100, free: 100 - used });
}

/** What came, once so much has. Nothing more may be on its way then. */
async function receivedAfter(count: number) {
  await eventually(async () => {
    expect(receiver.received).toHaveLength(count);
    expect(await world.query('SELECT FROM outgoing_notice')).toEqual([]);
  });
  return receiver.received;
}

describe('a notice', () => {
  const notice = { title: 'A title', body: 'What it is about', type: 'warning' } as const;

  it('goes to an Apprise API as it takes them, with the credentials of the URL', async () => {
    await start();
    await world.gateway.get(Notifier).notify(notice);
    const [received] = await receivedAfter(1);
    expect(received).toMatchObject({ path: '/notify/key', body: notice });
    expect(received?.headers).toMatchObject({
      'content-type': 'application/json',
      authorization: `Basic ${btoa('user:s3cret')}`,
    });
  });

  it('goes out with credentials in which a % stands for itself', async () => {
    await start({ APPRISE_URL: `http://user:100%@127.0.0.1:${receiver.port}/notify/key` });
    await world.gateway.get(Notifier).notify(notice);
    const [received] = await receivedAfter(1);
    expect(received?.headers['authorization']).toBe(`Basic ${btoa('user:100%')}`);
  });

  it('is tried again, and given up after a day, whatever a channel throws', async () => {
    await start();
    const [channel] = world.gateway.get(Channels).all;
    if (channel === undefined) throw new Error('no channel');
    jest.spyOn(channel, 'deliver').mockRejectedValue(new URIError('URI malformed'));
    await world.gateway.get(Notifier).notify(notice);
    await eventually(async () =>
      expect(await world.query('SELECT FROM outgoing_notice WHERE attempts = 1')).toHaveLength(1),
    );
    world.clock.advance(24 * HOUR_MS);
    await eventually(async () => expect(await world.query('SELECT FROM outgoing_notice')).toEqual([]));
  });

  it('goes to a webhook, signed with its time', async () => {
    await start({ APPRISE_URL: '', ...webhook() });
    await world.gateway.get(Notifier).notify(notice);
    const [received] = await receivedAfter(1);
    expect(received).toMatchObject({ path: '/hook', body: notice });
    const seconds = world.clock.nowMs() / 1000;
    const mac = createHmac('sha256', SECRET).update(`${seconds}.${received?.text}`).digest('hex');
    expect(received?.headers['x-sluice-signature']).toBe(`t=${seconds},v1=${mac}`);
    expect(received?.headers['x-sluice-notice']).toBe(received?.body.id);
  });

  it('goes to both, and to the one that refused it again later, not to the other', async () => {
    await start(webhook());
    receiver.status = 503;
    await world.gateway.get(Notifier).notify(notice);
    await eventually(async () => {
      const left = await world.query(
        'SELECT channel FROM outgoing_notice WHERE attempts = 1 ORDER BY channel',
      );
      expect(left).toEqual([{ channel: 'apprise' }, { channel: 'webhook' }]);
    });
    receiver.status = 200;
    world.clock.advance(MINUTE_MS);
    expect((await receivedAfter(2)).map(({ path }) => path).toSorted()).toEqual(['/hook', '/notify/key']);
  });

  it('is given up after a day', async () => {
    await start();
    receiver.status = 500;
    await world.gateway.get(Notifier).notify(notice);
    await eventually(async () =>
      expect(await world.query('SELECT FROM outgoing_notice WHERE attempts = 1')).toHaveLength(1),
    );
    world.clock.advance(24 * HOUR_MS);
    await eventually(async () => expect(await world.query('SELECT FROM outgoing_notice')).toEqual([]));
  });
});

describe('the log', () => {
  it('has every notice, and no secret of a channel', async () => {
    const lines: string[] = [];
    const record = (...line: unknown[]) => void lines.push(JSON.stringify(line));
    Logger.overrideLogger({ ...quietLogger, log: record, warn: record, error: record });
    try {
      await start({ ...webhook(), NOTIFY_WEBHOOK_URL: 'http://user:s3cret@127.0.0.1:9/hook/key' });
      Logger.overrideLogger({ ...quietLogger, log: record, warn: record, error: record });
      receiver.status = 500;
      await world.gateway.get(Notifier).notify({ title: 'A title', body: 'Its body', type: 'info' });
      await eventually(async () => {
        expect(lines.filter((line) => line.includes('could not be sent yet'))).toHaveLength(2);
      });
      expect(lines.some((line) => line.includes('A title: Its body'))).toBe(true);
      expect(lines.join('\n')).not.toMatch(/s3cret|key|the secret/);
    } finally {
      Logger.overrideLogger(true);
    }
  });
});

describe('what is down', () => {
  it('is told of after NOTIFY_AFTER_HOURS, not before, and its recovery with the duration', async () => {
    await start();
    const id = await world.addSlice('well', 'acme');
    await runElsewhere();
    await world.pass();
    world.setMood(id, 'unwell');
    await passAfter(MINUTE_MS);
    await passAfter(6 * HOUR_MS - 1);
    expect(await world.query('SELECT FROM outgoing_notice')).toEqual([]);
    await passAfter(1);
    await passAfter(HOUR_MS);
    const [down] = await receivedAfter(1);
    expect(down?.body).toEqual({
      title: `Slice ${id} (acme) is down`,
      body: `Slice ${id} (acme) has been down for 6 h: it does not answer its health check.`,
      type: 'failure',
    });
    world.setMood(id, 'well');
    await world.passes(5);
    const [, up] = await receivedAfter(2);
    expect(up?.body).toEqual({
      title: `Slice ${id} (acme) is up again`,
      body: `Slice ${id} (acme) is up again. It was down for 7 h 1 min.`,
      type: 'success',
    });
  });

  it('is told of once, also when another gateway goes on', async () => {
    await start({ NOTIFY_AFTER_HOURS: '1' });
    await world.addSlice('unwell');
    await runElsewhere();
    await world.pass();
    await using replica = await MonitorWorld.start({
      replicaOf: world,
      env: { ...apprise(), NOTIFY_AFTER_HOURS: '1' },
    });
    world.clock.advance(HOUR_MS);
    await Promise.all([replica.pass(), world.pass()]);
    await replica.passes(1);
    await world.passes(1);
    expect(await receivedAfter(1)).toHaveLength(1);
  });

  it('is not told of by a pass that a later one has overtaken', async () => {
    await start();
    const before = world.clock.now();
    world.clock.advance(MINUTE_MS);
    await world.pass();
    const outages = world.gateway.get(Outages);
    const notice = { title: 'late', body: '', type: 'info' } as const;
    const conditions: Condition[] = [
      { subject: 'disk', state: 'bad', tellAfterMs: 0, texts: { began: () => notice, ended: () => notice } },
    ];
    const findings = { conditions, looked: [], complete: [], unsure: new Set<string>() };
    expect(await outages.settle({ ...findings, passAt: before })).toBe(false);
    expect(await world.query('SELECT FROM outage')).toEqual([]);
    expect(await outages.settle({ ...findings, passAt: world.clock.now() })).toBe(true);
    expect((await receivedAfter(1))[0]?.body.title).toBe('late');
  });

  it('is not told of when it was short', async () => {
    await start();
    const id = await world.addSlice('unwell');
    await world.pass();
    world.setMood(id, 'well');
    await world.passes(4);
    expect(await world.query('SELECT FROM outage')).toEqual([]);
    expect(receiver.received).toEqual([]);
  });

  it('is forgotten without a word when somebody stops it', async () => {
    await start({ NOTIFY_AFTER_HOURS: '0' });
    const id = await world.addSlice('unwell');
    await world.pass();
    await receivedAfter(1);
    await world.query(`UPDATE slice SET desired_state = 'stopped', status = 'stopped' WHERE id = $1`, [id]);
    await world.passes(4);
    expect(await world.query('SELECT FROM outage')).toEqual([]);
    await receivedAfter(1);
  });

  it('of a backend is seen in GET /admin/health on every gateway', async () => {
    const configFile = 'defaultBackend: http://127.0.0.1:9\n';
    await start({ NOTIFY_AFTER_HOURS: '1' }, { configFile });
    await using replica = await MonitorWorld.start({ replicaOf: world, configFile });
    await world.pass();
    await replica.pass();
    expect(await told(world)).toMatchObject({ status: 'down', notifiedDown: false });
    await passAfter(HOUR_MS);
    await receivedAfter(1);
    for (const each of [world, replica])
      await eventually(async () => expect(await told(each)).toMatchObject({ notifiedDown: true }));
  });
});

describe('what does not come up, for a reason that may go by itself', () => {
  const fault = `status = 'provisioning', observed_generation = 0, last_error_code = 'RUNTIME_UNAVAILABLE',
                 last_error = 'Docker does not answer; it is tried again'`;

  it('is told of after NOTIFY_AFTER_HOURS, and when it is up', async () => {
    await start();
    const id = await world.addSlice('well', 'acme');
    await world.query(`UPDATE slice SET generation = 1, ${fault} WHERE id = $1`, [id]);
    const pass = world.gateway.get(MonitorPass);
    const observe = async (ms: number) => {
      world.clock.advance(ms);
      await pass.run(new AbortController().signal, Promise.resolve());
    };
    await observe(MINUTE_MS);
    await observe(6 * HOUR_MS - 1);
    expect(await world.query('SELECT FROM outgoing_notice')).toEqual([]);
    await observe(1);
    await observe(HOUR_MS);
    const [stuck] = await receivedAfter(1);
    expect(stuck?.body).toEqual({
      title: `Slice ${id} (acme) does not come up`,
      body: `Slice ${id} (acme) has not come up for 6 h: Docker does not answer; it is tried again`,
      type: 'failure',
    });
    // What the stub reconciler does after a pass.
    await world.passes(5);
    const [, up] = await receivedAfter(2);
    expect(up?.body.title).toBe(`Slice ${id} (acme) is up again`);
  });

  it('is not told of when it came up before', async () => {
    await start();
    const id = await world.addSlice();
    await world.query(`UPDATE slice SET ${fault} WHERE id = $1`, [id]);
    await world.passes(5);
    expect(await world.query('SELECT FROM outage')).toEqual([]);
    expect(receiver.received).toEqual([]);
  });
});

describe('a disk that is nearly full', () => {
  // Gateways on one database have the same.
  const key = { SECRET_KEY: 'a secret of all gateways, for a test' };
  const replica = (elsewhere: boolean) =>
    MonitorWorld.start({ replicaOf: world, elsewhere, env: { ...apprise(), ...key } });
  it('is told of once by all gateways that have it, and not by one with another disk', async () => {
    await start(key);
    await using sharing = await replica(false);
    await using other = await replica(true);
    fill(world, 95);
    fill(sharing, 95);
    fill(other, 50);
    await world.passes(1);
    const [full] = await receivedAfter(1);
    expect(full?.body.title).toMatch(/^Nearly used up: the disk under .* of ./);
    await sharing.passes(1);
    await other.passes(1);
    await receivedAfter(1);
    fill(sharing, 50);
    await sharing.passes(1);
    const [, room] = await receivedAfter(2);
    expect(room?.body.title).toMatch(/^Room again: the disk under /);
  });

  it('is forgotten without a word when no gateway has looked at it for eight days', async () => {
    await start(key);
    await using other = await replica(true);
    fill(other, 95);
    fill(world, 87);
    await other.passes(1);
    await receivedAfter(1);
    const outages = () => world.query('SELECT subject FROM outage');
    await passAfter(8 * 24 * HOUR_MS);
    expect(await outages()).toHaveLength(1);
    await passAfter(MINUTE_MS);
    expect(await outages()).toEqual([]);
    await receivedAfter(1);
  });

  it('is remembered while it is looked at, also when it gets neither worse nor better', async () => {
    await start(key);
    fill(world, 95);
    await passAfter(MINUTE_MS);
    fill(world, 87);
    for (let day = 0; day < 9; day += 1) await passAfter(24 * HOUR_MS);
    expect(await world.query('SELECT FROM outage')).toHaveLength(1);
  });

  it('has its name from the start, while there is room for it', async () => {
    await start();
    expect(await readFile(join(world.gateway.dataDir, 'disk'), 'utf8')).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is the same one for a gateway that comes after', async () => {
    await start(key);
    await using sharing = await replica(false);
    await using other = await replica(true);
    const [name, same, another] = await Promise.all(
      [world, sharing, other].map(({ gateway }) => gateway.get(DiskSpace).name()),
    );
    expect(same).toBe(name);
    expect(another).not.toBe(name);
    expect([name, another]).not.toContain(hostname());
  });
});

describe('a runtime that can not be looked at', () => {
  it('is told of after five minutes, and when it answers again', async () => {
    await start();
    await world.addSlice();
    const { states } = world.runtime;
    world.runtime.states = null;
    await world.passes(5);
    expect(await world.query('SELECT FROM outgoing_notice')).toEqual([]);
    await world.passes(2);
    const [silent] = await receivedAfter(1);
    expect(silent?.body).toEqual({
      title: 'The runtime of the slices can not be looked at',
      body: expect.stringMatching(/^For 5 min .* none is restarted that is not well\.$/),
      type: 'failure',
    });
    world.runtime.states = states;
    await world.passes(3);
    const [, again] = await receivedAfter(2);
    expect(again?.body.title).toBe('The runtime of the slices answers again');
  });
});

describe('most slices at once', () => {
  it('are one outage, with one notice and one recovery', async () => {
    await start({ NOTIFY_AFTER_HOURS: '1' });
    for (let i = 0; i < 12; i += 1) await world.addSlice(i < 11 ? 'unwell' : 'well');
    await world.passes(61);
    const [down] = await receivedAfter(1);
    expect(down?.body).toMatchObject({
      title: 'Most slices are down',
      body: expect.stringMatching(/^Most slices \(11\) have been down for 1 h: /),
    });
    world.apps.moods.clear();
    await world.passes(3);
    const [, up] = await receivedAfter(2);
    expect(up?.body.title).toBe('Most slices are up again');
    await world.passes(3);
    expect(await world.query('SELECT FROM outage')).toEqual([]);
    await receivedAfter(2);
  });

  it('are told of one by one where few are left', async () => {
    await start({ NOTIFY_AFTER_HOURS: '1' });
    const ids: number[] = [];
    for (let i = 0; i < 12; i += 1) ids.push(await world.addSlice('unwell'));
    await world.passes(30);
    for (const id of ids.slice(1)) world.setMood(id, 'well');
    await runElsewhere();
    await world.passes(61);
    const received = await receivedAfter(1);
    expect(received.map(({ body }) => body.title)).toEqual([`Slice ${ids[0]} (slice 1) is down`]);
  });
});

describe('what has failed', () => {
  it.each([
    ['has failed', '2026-01-01'],
    ['could not be provisioned', null],
  ])('%s, and is told of at once', async (words, lastHealthyAt) => {
    await start();
    const id = await world.addSlice('well', 'acme');
    await world.query(
      `UPDATE slice SET status = 'failed', last_error = 'No licence.', last_healthy_at = $2 WHERE id = $1`,
      [id, lastHealthyAt],
    );
    await world.passes(3);
    const [notice] = await receivedAfter(1);
    expect(notice?.body).toMatchObject({
      title: `Slice ${id} (acme) ${words}`,
      body: `Slice ${id} (acme) ${words}: No licence.`,
    });
  });
});
