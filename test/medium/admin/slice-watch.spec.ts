import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { SessionStore } from '#auth';
import { OpenStreams } from '#common';
import { User } from '#database';
import { SliceEvents, SliceRuntime, SliceService } from '#orchestrator';
import { allHeard } from '../../support/all-heard.js';
import type { OperatorClient } from '../../support/clients.js';
import { terminateControl } from '../../support/control.js';
import { eventually } from '../../support/eventually.js';
import { EventSource, type Message } from '../../support/event-source.js';
import { ADMIN_KEY, Gateway, PASSWORD } from '../../support/gateway.js';
import { TINY_SLICES } from '../../support/tiny-slices.js';

let gateway: Gateway;
let operator: OperatorClient;
let slice: { id: number; port: number };

beforeAll(async () => {
  gateway = await Gateway.start({ env: { ...TINY_SLICES, SLICE_AUTO_PROVISION: 'false' } });
  operator = gateway.operator();
  slice = (await operator.provision({ name: 'watched' })).body;
}, 30_000);
afterAll(() => gateway[Symbol.asyncDispose]());

const write = (line: string) =>
  fetch(`http://127.0.0.1:${slice.port}/log?line=${encodeURIComponent(line)}`).then((answer) =>
    answer.text(),
  );
const follow = (what: string, headers: Record<string, string> = { 'x-admin-key': ADMIN_KEY }) =>
  EventSource.open(`${gateway.url}/admin/slices/${slice.id}/${what}?follow=true`, headers);
const allClosed = () => eventually(async () => expect(gateway.get(OpenStreams).size).toBe(0));

/** Waits until a figure does not change any more for many turns of the event loop. */
async function standsStill(figure: () => number): Promise<void> {
  for (let turns = 0, last = figure(); turns < 1000; turns = figure() === last ? turns + 1 : 0) {
    last = figure();
    await new Promise(setImmediate);
  }
}

async function admin() {
  const browser = gateway.browser();
  const email = `${crypto.randomUUID()}@example.com`;
  const { body } = await browser.register(email, PASSWORD);
  await gateway.get(DataSource).getRepository(User).update({ email }, { role: 'admin' });
  return { browser, email, userId: String(body.user.id) };
}

/** An admin's credentials, as headers, each of an account of its own. */
const CREDENTIALS = {
  session: async () => {
    const { browser, userId } = await admin();
    return { userId, headers: { cookie: browser.cookie } };
  },
  token: async () => {
    const { browser, email, userId } = await admin();
    const { body } = await browser.post('/auth/login', { username: email, password: PASSWORD });
    return { userId, headers: { authorization: `Bearer ${body.token}` } };
  },
} as const;
const KINDS = ['session', 'token'] as const;

const signOut = (userId: string) => operator.post(`/admin/users/${userId}/sign-out`);

/** Ends all access of an account as another replica does, of which this one hears nothing. */
async function signOutUnheard(userId: string): Promise<void> {
  const database = gateway.get(DataSource);
  await database.query('DELETE FROM session WHERE user_id = $1', [userId]);
  await database.getRepository(User).increment({ id: userId }, 'tokenGeneration', 1);
}

describe('GET /admin/slices/:id/logs', () => {
  it('is the last lines, 500 at the most', async () => {
    for (let i = 0; i < 20; i++) await write(`line ${i}${'\n.'.repeat(30)}`);
    await eventually(async () => {
      const { body } = await operator.get(`/admin/slices/${slice.id}/logs`);
      expect(body.lines).toHaveLength(500);
      expect(body.lines.at(-31)).toBe('line 19');
    });
  });

  it('goes on, line by line, at once and uncompressed', async () => {
    await using source = await follow('logs');
    expect(source.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(source.headers.get('content-encoding')).toBeNull();
    expect(source.headers.get('cache-control')).toContain('no-transform');
    await write('a new\rone');
    const taken = await source.until(({ data }) => data === 'a new\none');
    expect(taken.every(({ event }) => event === 'line')).toBe(true);
    await write('another');
    expect(await source.next()).toMatchObject({ data: 'another' });
  });

  it('ends for the gateway when the client goes, and ends when the access does', async () => {
    await allClosed();
    {
      await using source = await follow('logs');
      await source.next();
      expect(gateway.get(OpenStreams).size).toBe(1);
    }
    await allClosed();

    const { browser, userId } = await admin();
    await using source = await follow('logs', { cookie: browser.cookie });
    await source.next();
    await operator.post(`/admin/users/${userId}/sign-out`);
    while ((await source.next()) !== null);
    await allClosed();
  });

  it('waits for a client that does not read, and loses no line of it', async () => {
    await using source = await follow('logs');
    await source.next();
    const line = 'x'.repeat(7000);
    for (let i = 0; i < 1500; i++) await write(line);
    await write('the end');
    const taken = await source.until(({ data }) => data === 'the end');
    expect(taken.filter(({ data }) => data === line).length).toBe(1500);
  }, 30_000);

  it('takes no more of the log than its client reads', async () => {
    const line = 'x'.repeat(7000);
    const held = 30_000_000 / line.length;
    let taken = 0;
    const endless = jest.spyOn(gateway.get(SliceRuntime), 'followLogs');
    endless.mockImplementation(async function* (_id, _lines, signal) {
      // Every buffer on the way could be full a few times over.
      while (!signal.aborted && taken < 5 * held) {
        taken += 1;
        yield line;
      }
    });
    await using source = await follow('logs');
    endless.mockRestore();
    await source.next();
    await standsStill(() => taken);
    expect(taken).toBeLessThan(held);
    const before = taken;
    for (let i = 0; i < before; i++) await source.next();
    expect(taken).toBeGreaterThan(before);
  }, 30_000);

  it('is refused once too many are open', async () => {
    await allClosed();
    const streams = gateway.get(OpenStreams);
    const held = [];
    while (streams.size < 100) held.push(streams.begin());
    const { status, body, headers } = await operator.get(`/admin/slices/${slice.id}/logs?follow=true`);
    expect([status, body.code, headers.has('retry-after')]).toEqual([429, 'RATE_LIMITED', true]);
    held.forEach((each) => each.abort());
  });

  it.each(['follow=1', 'follow=', 'lines=5'])('refuses %s', async (query) => {
    expect((await operator.get(`/admin/slices/${slice.id}/logs?${query}`)).status).toBe(400);
  });

  it('is of slices that Sluice runs', async () => {
    expect((await operator.get('/admin/slices/999999999/logs')).body.code).toBe('SLICE_NOT_FOUND');
    expect((await operator.get('/admin/slices/999999999/events')).body.code).toBe('SLICE_NOT_FOUND');
    const { body } = await operator.post('/admin/slices', { port: 40_999 });
    expect((await operator.get(`/admin/slices/${body.id}/logs`)).body.code).toBe('SLICE_NOT_MANAGED');
  });
});

const stepsOf = (messages: readonly { data: string }[]) =>
  messages.map(({ data }) => JSON.parse(data)).map(({ step, outcome }) => `${step} ${outcome}`);

describe('GET /admin/slices/:id/events', () => {
  it('is what was done to bring the slice up', async () => {
    await eventually(async () => {
      const { body } = await operator.get(`/admin/slices/${slice.id}/events`);
      expect(body.events.map(({ step, outcome }: any) => `${step} ${outcome}`)).toEqual([
        'database begun',
        'database done',
        'start begun',
        'start done',
        'health begun',
        'health done',
        'active done',
      ]);
      expect(body.events[1]).toEqual({
        id: expect.any(String),
        at: expect.any(String),
        step: 'database',
        outcome: 'done',
        generation: 1,
        durationMs: expect.any(Number),
        message: null,
      });
    });
  });

  it('tells of each step as it is taken, and goes on behind the last one that was had', async () => {
    let lastId: string;
    {
      await using source = await follow('events');
      await source.until(({ data }) => data.includes('"active"'));
      void operator.post(`/orchestrator/slices/${slice.id}/stop`);
      const taken = await source.until(({ data }) => data.includes('"stopped"'));
      expect(stepsOf(taken)).toEqual(['stop begun', 'stop done', 'stopped done']);
      lastId = String(taken.at(-1)?.id);
    }
    await operator.post(`/orchestrator/slices/${slice.id}/start`);
    const headers = { 'x-admin-key': ADMIN_KEY, 'last-event-id': lastId };
    await using source = await follow('events', headers);
    expect(stepsOf(await source.until(({ data }) => data.includes('"active"')))[0]).toBe('database begun');
  }, 20_000);

  it('says why a step failed', async () => {
    const { body } = await operator.provision({ env: { CRASH: 'no licence' } });
    expect(body.code).toBe('SLICE_PROVISIONING_FAILED');
    const [failed] = (await operator.get('/admin/slices?status=failed')).body.slices;
    await eventually(async () => {
      const { body: answer } = await operator.get(`/admin/slices/${failed.id}/events`);
      expect(answer.events).toContainEqual(
        expect.objectContaining({ step: 'pass', outcome: 'failed', message: failed.error }),
      );
    });
  }, 20_000);

  it('keeps what is not old', async () => {
    await gateway.get(SliceEvents).sweep(new Date(0));
    expect((await operator.get(`/admin/slices/${slice.id}/events`)).body.events).not.toEqual([]);
    await gateway.get(SliceEvents).sweep(new Date(Date.now() + 1000));
    expect((await operator.get(`/admin/slices/${slice.id}/events`)).body.events).toEqual([]);
  });
});

/** Makes something happen that whoever follows is told of, and says how to know it. */
async function something(what: 'logs' | 'events'): Promise<(message: Message) => boolean> {
  if (what === 'logs') {
    const line = crypto.randomUUID();
    await write(line);
    return ({ data }) => data === line;
  }
  const { body } = await operator.get(`/admin/slices/${slice.id}/events`);
  const lastId = BigInt(body.events.at(-1)?.id ?? 0);
  await operator.post(`/orchestrator/slices/${slice.id}/restart`);
  return ({ id }) => BigInt(id ?? 0) > lastId;
}

describe('the access of who follows', () => {
  const WHAT = ['logs', 'events'] as const;
  const CASES = KINDS.flatMap((kind) => WHAT.map((what) => ({ kind, what })));

  it.each(CASES)('is looked at again: a $kind revoked on the way to $what opens none', async (each) => {
    await allClosed();
    const { userId, headers } = await CREDENTIALS[each.kind]();
    const service = gateway.get(SliceService);
    const get = service.get.bind(service);
    jest.spyOn(service, 'get').mockImplementationOnce(async (id) => {
      await signOut(userId);
      await allHeard(gateway);
      return get(id);
    });
    await expect(follow(each.what, headers)).rejects.toThrow(/^401 .*UNAUTHENTICATED/);
    expect(gateway.get(OpenStreams).size).toBe(0);
  });

  it('ends a stream that was not open yet when it was revoked', async () => {
    await allClosed();
    const { userId, headers } = await CREDENTIALS.session();
    const store = gateway.get(SessionStore);
    const find = store.find.bind(store);
    const look = jest.spyOn(store, 'find');
    look.mockImplementationOnce(find).mockImplementationOnce(async (hash) => {
      const found = await find(hash);
      await signOut(userId);
      return found;
    });
    await using source = await follow('events', headers);
    expect(look).toHaveBeenCalledTimes(2);
    look.mockRestore();
    expect(await source.next()).toBeNull();
    await allClosed();
  });

  it.each(CASES)(
    'that is a $kind revoked while the bus was silent ends $what',
    async ({ kind, what }) => {
      const revoked = await CREDENTIALS[kind]();
      const staying = await CREDENTIALS[kind]();
      await using ending = await follow(what, revoked.headers);
      await using going = await follow(what, staying.headers);
      await using operators = await follow(what);
      await signOutUnheard(revoked.userId);
      await terminateControl(gateway.database);
      while ((await ending.next()) !== null);
      await eventually(async () => expect(gateway.get(OpenStreams).size).toBe(2));

      const isNew = await something(what);
      for (const source of [going, operators]) await source.until(isNew);
    },
    20_000,
  );
});

describe('a gateway that stops', () => {
  it('ends every stream in good order, and waits for none', async () => {
    const one = await Gateway.start({ env: { SHUTDOWN_TIMEOUT_SECONDS: '30' } });
    const { body } = await one.operator().provision();
    const source = await EventSource.open(`${one.url}/admin/slices/${body.id}/events?follow=true`, {
      'x-admin-key': ADMIN_KEY,
    });
    await source.next();
    const begun = performance.now();
    const stopped = one[Symbol.asyncDispose]();
    while ((await source.next()) !== null);
    await stopped;
    expect(performance.now() - begun).toBeLessThan(15_000);
  }, 40_000);
});
