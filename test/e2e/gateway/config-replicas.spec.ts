import { mkdirSync, readFileSync, rmdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ConfigError, SettingsInForce } from '#config';
import { ControlConnection, StoredSettings } from '#database';
import { ASSIGNED_SLICES } from '../../support/assigned-slices.js';
import type { Answer } from '../../support/clients.js';
import { terminateControl } from '../../support/control.js';
import { eventually } from '../../support/eventually.js';
import { Gateway, testEnvironment } from '../../support/gateway.js';
import { GatewayProgram } from '../../support/gateway-program.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.js';
import { quietLogger } from '../../support/quiet-logger.js';
import { RecordingLogger } from '../../support/recording-logger.js';

const ONE_SECOND = 1000;

let database: TestDatabase;
let dataDir: string;
let file: string;

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = await mkdtemp(join(tmpdir(), 'sluice-config-'));
  file = join(dataDir, 'config.yml');
});
afterAll(async () => {
  await database.drop();
  await rm(dataDir, { recursive: true });
});

const start = (env: NodeJS.ProcessEnv = {}): Promise<Gateway> =>
  Gateway.start({ ...ASSIGNED_SLICES, database, dataDir, env: { ...ASSIGNED_SLICES.env, ...env } });
const routesOf = (gateway: Gateway): readonly string[] => gateway.get(SettingsInForce).current.guestRoutes;
const put = (gateway: Gateway, route: string): Promise<Answer> =>
  gateway.operator().send('PUT', '/admin/config', { body: { guest: { routes: [route] } } });
const stored = (gateway: Gateway): Promise<StoredSettings> =>
  gateway.get(DataSource).getRepository(StoredSettings).findOneByOrFail({ id: 1 });
const guest = async (gateway: Gateway): Promise<unknown> =>
  (await gateway.operator().post('/auth/guest', {})).body.route;

const fileFor = (route: string): string => `guest: { routes: [${route}] }\n`;

/** Writes the file as a checkout does: whatever it says, it is newer than all that was stored. */
function checkOut(text: string): void {
  writeFileSync(file, text);
  const soon = new Date(Date.now() + 60_000);
  utimesSync(file, soon, soon);
}

/** Puts it while the file can't be written, for a folder is in its place; then there is no file. */
async function putUnwritten(gateway: Gateway, route: string): Promise<void> {
  rmSync(file);
  mkdirSync(file);
  expect((await put(gateway, route)).status).toBe(200);
  rmdirSync(file);
}

/** What is in force on a gateway that starts now. */
async function inForceAtStart(): Promise<readonly string[]> {
  await using gateway = await start();
  return routesOf(gateway);
}

describe('two gateways on one database', () => {
  let here: Gateway;
  let there: Gateway;
  beforeAll(async () => {
    [here, there] = await Promise.all([start(), start({ MINE: 'mine' })]);
    await eventually(async () => expect(there.get(ControlConnection).healthy).toBe(true));
  });
  afterAll(async () => {
    await Promise.all([here[Symbol.asyncDispose](), there[Symbol.asyncDispose]()]);
  });

  it('both have in force what was put at one of them, within a second', async () => {
    for (const [i, at] of [here, there, here].entries()) {
      expect((await put(at, `round-${i}`)).status).toBe(200);
      await eventually(async () => {
        expect([await guest(here), await guest(there)]).toEqual([`round-${i}`, `round-${i}`]);
      }, ONE_SECOND);
    }
    const shown = await there.operator().get('/admin/config');
    expect(shown.body).toEqual({ guest: { routes: ['round-2'] } });
  });

  it('catch up with what they were not told, once they are connected again', async () => {
    await put(here, 'before');
    await eventually(async () => expect(routesOf(there)).toEqual(['before']), ONE_SECOND);
    // Stored without a word, as if the connection had been away just then.
    await here
      .get(DataSource)
      .query(
        `UPDATE settings SET revision = revision + 1, updated_at = now(), text = 'guest: { routes: [unheard] }'`,
      );
    await terminateControl(database);
    await eventually(async () => {
      expect([routesOf(here), routesOf(there)]).toEqual([['unheard'], ['unheard']]);
    });
  });

  it('agree with each other and with the file after ten changes at once', async () => {
    for (const round of ['a', 'b', 'c', 'd', 'e']) {
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, i) => put(i % 2 === 0 ? here : there, `${round}-${i}`)),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
      const { text } = await stored(here);
      const [last] = /[a-e]-\d/.exec(text) ?? [];
      await eventually(async () => {
        expect([routesOf(here), routesOf(there)]).toEqual([[last], [last]]);
      }, ONE_SECOND);
      expect(readFileSync(file, 'utf8')).toBe(text);
    }
  });

  it('leave a text in the file that is older than what is stored', async () => {
    const logger = new RecordingLogger();
    Logger.overrideLogger(logger);
    try {
      await put(here, 'written');
      // As by a third gateway, which has no part in this file, before the second one has looked at it.
      await here
        .get(DataSource)
        .query(
          `UPDATE settings SET revision = revision + 1, updated_at = now() + interval '1 second', text = 'guest: { routes: [elsewhere] }'`,
        );
      await here.get(ControlConnection).notify('configuration_changed');
      const { revision } = await stored(here);
      await eventually(async () => expect(logger.lines.join('\n')).toMatch(/older than the configuration/));
      expect([routesOf(here), routesOf(there)]).toEqual([['elsewhere'], ['elsewhere']]);
      expect((await stored(here)).revision).toBe(revision);
    } finally {
      Logger.overrideLogger(quietLogger);
    }
  });

  it('take a changed file once, whoever sees it first', async () => {
    await put(here, 'put');
    const { revision } = await stored(here);
    writeFileSync(file, 'guest: { routes: [edited] }\n');
    await eventually(async () => {
      expect([routesOf(here), routesOf(there)]).toEqual([['edited'], ['edited']]);
    });
    // Whatever the other one makes of the file is done before this, which changes nothing.
    await Promise.all([put(there, 'after'), put(here, 'after')]);
    expect((await stored(here)).revision).toBe(revision + 3);
  });

  it('take no text again that was left for a faulty one, but one that undoes a change in the file', async () => {
    writeFileSync(file, fileFor('first'));
    await eventually(async () => expect(routesOf(here)).toEqual(['first']));
    await put(here, 'second');
    await put(here, 'third');
    const logger = new RecordingLogger();
    Logger.overrideLogger(logger);
    const saidBy = (pattern: RegExp): Promise<void> =>
      // A gateway that is told of a file twice says it twice.
      eventually(async () =>
        expect(logger.lines.filter((line) => pattern.test(line)).length).toBeGreaterThanOrEqual(2),
      );
    try {
      const { text } = await stored(here);
      // As if it had been put where nobody can write the file.
      await here
        .get(DataSource)
        .query(`UPDATE settings SET revision = revision + 1, text = $1`, [fileFor('fourth')]);
      await here.get(ControlConnection).notify('configuration_changed');
      await eventually(async () =>
        expect([routesOf(here), routesOf(there)]).toEqual([['fourth'], ['fourth']]),
      );
      writeFileSync(file, 'unknown: 1\n');
      await saidBy(/has faults/);
      writeFileSync(file, text);
      await saidBy(/was not taken; POST/);
      expect([routesOf(here), routesOf(there)]).toEqual([['fourth'], ['fourth']]);
    } finally {
      Logger.overrideLogger(quietLogger);
    }
    writeFileSync(file, fileFor('first'));
    await eventually(async () => expect([routesOf(here), routesOf(there)]).toEqual([['first'], ['first']]));
  });

  it('go on with what they had where the new one lacks a variable, and say so', async () => {
    await put(here, 'usable');
    await eventually(async () => expect(routesOf(there)).toEqual(['usable']), ONE_SECOND);
    const logger = new RecordingLogger();
    Logger.overrideLogger(logger);
    try {
      expect((await put(here, '${MINE}')).status).toBe(400);
      expect((await put(there, '${MINE}')).status).toBe(200);
      expect(routesOf(there)).toEqual(['mine']);
      await eventually(async () => {
        expect(logger.lines.join('\n')).toMatch(/can't be used here[^]*guest\.routes\.0 uses \$\{MINE\}/);
      });
      expect(routesOf(here)).toEqual(['usable']);
    } finally {
      Logger.overrideLogger(quietLogger);
    }
    await put(there, 'usable-again');
    await eventually(async () => expect(routesOf(here)).toEqual(['usable-again']), ONE_SECOND);
  });
});

describe('a gateway that starts', () => {
  it('has in force what was put before', async () => {
    await using gateway = await start();
    await put(gateway, 'kept');
    await gateway[Symbol.asyncDispose]();
    expect(await inForceAtStart()).toEqual(['kept']);
  });

  it('leaves a file that is older, until it is told to read it', async () => {
    await using gateway = await start();
    await put(gateway, 'stored');
    await gateway[Symbol.asyncDispose]();
    writeFileSync(file, fileFor('old'));
    utimesSync(file, new Date(0), new Date(0));
    await using again = await start();
    expect(routesOf(again)).toEqual(['stored']);
    await again.operator().post('/admin/config/reload');
    expect(routesOf(again)).toEqual(['old']);
  });

  it('takes a file that is newer, and stores it', async () => {
    await using gateway = await start();
    await put(gateway, 'stored');
    await gateway[Symbol.asyncDispose]();
    writeFileSync(file, fileFor('newer'));
    const soon = new Date(Date.now() + 1000);
    utimesSync(file, soon, soon);
    expect(await inForceAtStart()).toEqual(['newer']);
    await rm(file);
    expect(await inForceAtStart()).toEqual(['newer']);
  });

  it('takes no text again that it took before, however new its file is', async () => {
    checkOut(fileFor('checked-out'));
    await using gateway = await start();
    expect(routesOf(gateway)).toEqual(['checked-out']);
    await putUnwritten(gateway, 'put');
    await gateway[Symbol.asyncDispose]();
    checkOut(fileFor('checked-out'));
    expect(await inForceAtStart()).toEqual(['put']);
    expect(await inForceAtStart()).toEqual(['put']);
    checkOut(fileFor('really-changed'));
    expect(await inForceAtStart()).toEqual(['really-changed']);
  });

  it('takes neither the text before a change that was written to the file, nor that one again', async () => {
    checkOut(fileFor('before'));
    await using gateway = await start();
    await put(gateway, 'written');
    await gateway[Symbol.asyncDispose]();
    const written = readFileSync(file, 'utf8');
    checkOut(fileFor('before'));
    await using again = await start();
    expect(routesOf(again)).toEqual(['written']);
    // As by a gateway that has no part in this file.
    await again.get(DataSource).query(`UPDATE settings SET text = $1`, [fileFor('elsewhere')]);
    await again[Symbol.asyncDispose]();
    checkOut(written);
    expect(await inForceAtStart()).toEqual(['elsewhere']);
  });

  it('takes no text again that the file had come to agree with', async () => {
    checkOut(fileFor('taken'));
    await using gateway = await start();
    await putUnwritten(gateway, 'agreed');
    const { text } = await stored(gateway);
    await gateway[Symbol.asyncDispose]();
    checkOut(text);
    await using again = await start();
    await putUnwritten(again, 'later');
    await again[Symbol.asyncDispose]();
    checkOut(text);
    expect(await inForceAtStart()).toEqual(['later']);
  });

  it('refuses to where what is stored can not be used, unless the file is newer and can be', async () => {
    await using gateway = await start({ MINE: 'mine' });
    await put(gateway, '${MINE}');
    await gateway[Symbol.asyncDispose]();
    writeFileSync(file, fileFor('older'));
    utimesSync(file, new Date(0), new Date(0));
    const env = testEnvironment(dataDir, database.url);
    await using program = GatewayProgram.run({ env: { ...env, LOG_LEVEL: 'warn' } });
    await expect(program.ready()).rejects.toThrow(/The gateway ended/);
    const { code, output } = await program.ended;
    expect(code).toBe(ConfigError.EXIT_CODE);
    expect(output).toMatch(/faults:\n {2}- the stored configuration:\d+: guest\.routes\.0 uses \$\{MINE\}/);
    checkOut(fileFor('newer'));
    expect(await inForceAtStart()).toEqual(['newer']);
  });

  it('does so before it listens, two at once as well', async () => {
    writeFileSync(file, fileFor('both'));
    const soon = new Date(Date.now() + 5000);
    utimesSync(file, soon, soon);
    await using one = await start();
    await using other = await start();
    expect([routesOf(one), routesOf(other)]).toEqual([['both'], ['both']]);
  });
});
