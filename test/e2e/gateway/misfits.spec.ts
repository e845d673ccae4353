import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayProgram, type Ending } from '../../support/gateway-program.js';
import { Gateway, testEnvironment } from '../../support/gateway.js';

const SECRET_KEY = 'the secret key that both gateways were given';

let gateway: Gateway;
let elsewhere: string;

beforeAll(async () => {
  elsewhere = await mkdtemp(join(tmpdir(), 'sluice-elsewhere-'));
  gateway = await Gateway.start({ env: { SECRET_KEY } });
  await gateway.customer();
}, 40_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(elsewhere, { recursive: true });
});

/** Another gateway on the same database. */
function another(env: NodeJS.ProcessEnv, dataDir: string): GatewayProgram {
  return GatewayProgram.run({
    env: { ...testEnvironment(dataDir, gateway.database.url), LOG_LEVEL: 'warn', ...env },
  });
}

/** How one ends that has to refuse. */
async function refusal(env: NodeJS.ProcessEnv, dataDir: string): Promise<Ending> {
  await using program = another(env, dataDir);
  return await program.ended;
}

describe('a gateway that does not fit the installation', () => {
  it('does not start with another SECRET_KEY, which could read nothing that is sealed', async () => {
    const { code, output } = await refusal(
      { SECRET_KEY: 'another secret key, as long as it has to be' },
      gateway.dataDir,
    );
    expect(output).toContain('SECRET_KEY is another one');
    expect(code).toBe(1);
  }, 30_000);

  it('does not start process slices a second time, without their files, from another DATA_DIR', async () => {
    const { code, output } = await refusal({ SECRET_KEY }, elsewhere);
    expect(output).toContain('live in another DATA_DIR');
    expect(code).toBe(1);
  }, 30_000);

  it('is not one with the same key and the same folder', async () => {
    await using replica = another({ SECRET_KEY }, gateway.dataDir);
    await replica.ready();
    expect((await replica.browser().get('/health')).status).toBe(200);
  }, 30_000);
});
