import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostAddress } from '#orchestrator';
import {
  buildNotes,
  describeWithDocker,
  docker,
  NOTES_IMAGE,
  removeInstallation,
  TEST_SUBNETS,
} from '../../support/docker.js';
import type { GatewaySetting } from '../../support/gateway-child.js';
import { GatewayProcess } from '../../support/gateway-process.js';
import { Gateway, PASSWORD, testEnvironment } from '../../support/gateway.js';
import {
  borrowed,
  startPostgres,
  type TestDatabase,
  type TestPostgres,
  withClient,
} from '../../support/postgres.js';

const unique = randomUUID().slice(0, 8);
/** Joins the slices' networks in the place of the gateway, which is no container here. */
const STAND_IN = `sluice-test-gateway-${unique}`;
/** Stands before PostgreSQL as a PgBouncer does. */
const POOLER = `sluice-test-pooler-${unique}`;

describeWithDocker('slices in containers, with the PostgreSQL of DATABASE_URL on the host’s loopback', () => {
  let postgres: TestPostgres;
  let bridge: string | null;
  let dataDir: string;
  let installation: string;
  let behindStandIn: GatewayProcess;

  beforeAll(async () => {
    behindStandIn = GatewayProcess.load();
    await buildNotes();
    bridge = await hostAddress(null);
    postgres = await startPostgres(bridge === null ? [] : [bridge]);
    dataDir = await mkdtemp(join(tmpdir(), 'sluice-db-host-'));
  }, 180_000);

  afterAll(async () => {
    await behindStandIn.stop();
    await removeInstallation(installation);
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }, 60_000);

  it('find it by Docker’s name for the host when SLICE_DB_HOST is not set', async () => {
    await using gateway = await Gateway.start(settingWith({}));
    expect(await hostOfUsedSlice(gateway)).toBe('host.docker.internal');
  }, 60_000);

  it('find it at the address that SLICE_DB_HOST says', async () => {
    const address = bridge ?? 'host.docker.internal';
    await using gateway = await Gateway.start(settingWith({ SLICE_DB_HOST: address }));
    expect(await hostOfUsedSlice(gateway)).toBe(address);
  }, 60_000);

  it('find it by the container that SLICE_DB_HOST names, on networks of their own', async () => {
    await using beside = new AsyncDisposableStack();
    beside.use(await containerOf(STAND_IN, 'setInterval(() => undefined, 60_000)'));
    beside.use(await containerOf(POOLER, forwarderTo(postgres.connection.port)));
    const env = { SLICE_DB_HOST: POOLER, SLICE_NETWORK: `net-${unique}`, SLICE_SUBNETS: TEST_SUBNETS };
    await behindStandIn.begin({ ...settingWith(env), standIn: STAND_IN });
    await using gateway = behindStandIn;
    expect(await hostOfUsedSlice(gateway)).toBe(POOLER);
  }, 60_000);

  /** One installation for all: the slices of two would have the same names on one server. */
  function settingWith(env: NodeJS.ProcessEnv): GatewaySetting & { database: TestDatabase } {
    const own = { ...testEnvironment(dataDir, postgres.url), SLICE_IMAGE: NOTES_IMAGE };
    return { database: borrowed(postgres.connection), dataDir, env: { ...own, ...env } };
  }

  /** Has a customer write and read a note; gives where their slice was told to find PostgreSQL. */
  async function hostOfUsedSlice(
    gateway: Pick<Gateway, 'browser' | 'operator'>,
  ): Promise<string | undefined> {
    installation = await installationId();
    const customer = gateway.browser();
    await customer.register(`${randomUUID()}@example.com`, PASSWORD);
    await customer.sliceIsReady();
    expect((await customer.post('/api/notes', { title: 'from a container' })).status).toBe(201);
    const { body } = await customer.get('/api/notes');
    expect(body).toEqual([expect.objectContaining({ title: 'from a container' })]);
    const { id } = (await customer.get('/auth/me')).body.slice;
    const host = await databaseHostOf(installation, id);
    expect((await gateway.operator().destroy(id, true)).status).toBe(200);
    return host;
  }

  function installationId(): Promise<string> {
    return withClient(postgres.connection, async (client) => {
      const { rows } = await client.query<{ id: string }>('SELECT id FROM installation');
      return rows[0]?.id ?? '';
    });
  }
});

/** DB_HOST in a slice's container. */
async function databaseHostOf(installation: string, sliceId: number): Promise<string | undefined> {
  const label = [`sluice.installation=${installation}`, `sluice.slice=${sliceId}`];
  const [slice] = await docker.listContainers({ filters: { label } });
  const { Config } = await docker.getContainer(slice?.Id ?? '').inspect();
  return Config.Env.find((entry) => entry.startsWith('DB_HOST='))?.slice('DB_HOST='.length);
}

/** A container beside the gateway that runs a script. */
async function containerOf(name: string, script: string): Promise<AsyncDisposable> {
  const container = await docker.createContainer({
    name,
    Image: NOTES_IMAGE,
    Cmd: ['node', '--eval', script],
    HostConfig: { Init: true, ExtraHosts: ['host.docker.internal:host-gateway'] },
  });
  await container.start();
  return { [Symbol.asyncDispose]: () => container.remove({ force: true, v: true }) };
}

/** A script that listens on the port, and passes all on to the host's. */
function forwarderTo(port: number): string {
  return `
    const { connect, createServer } = require('node:net');
    const { pipeline } = require('node:stream');
    createServer((client) => {
      const server = connect(${port}, 'host.docker.internal');
      pipeline(client, server, client, () => undefined);
    }).listen(${port});`;
}
