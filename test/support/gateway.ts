import type { Type } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AllowedOrigins, AuthLimits, PasswordHasherOptions } from '#auth';
import { loadConfig, type AppConfig } from '#config';
import { ConnectionLimits } from '#proxy';
import { edgeAdapter, equip, NEST_OPTIONS } from '../../apps/gateway/src/create-gateway.js';
import { GatewayModule } from '../../apps/gateway/src/gateway.module.js';
import { CHEAP_PASSWORDS } from './cheap-passwords.js';
import { Browser, OperatorClient } from './clients.js';
import { createTestDatabase, type TestDatabase } from './postgres.js';
import { quietLogger } from './quiet-logger.js';

export const ADMIN_KEY = 'the-admin-key-of-the-tests';
export const PASSWORD = 'correct horse battery staple';

export interface GatewayOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Of another gateway, to be its replica; it stays that one's to remove. */
  readonly database?: TestDatabase;
  readonly dataDir?: string;
  /** The text of config.yml; without it there is none. */
  readonly configFile?: string;
  /** Where a test can't wait for the gateway's own. */
  readonly limits?: Partial<ConnectionLimits>;
  /** Whether a password costs what it does in earnest. */
  readonly realPasswords?: boolean;
  /** Puts other providers in the place of the gateway's own. */
  readonly override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
}

/** Limits that no test meets by accident; those of limits set their own. */
const GENEROUS: Partial<AuthLimits> = {
  perAddress: 1_000_000,
  apiKeysPerAddress: 1_000_000,
  perApiKey: 1_000_000,
  loginsPerAccountAndNetwork: 1_000_000,
  promptLogins: 1_000_000,
};

/** The environment of a gateway of a test: its own data directory, and ports that other tests hardly use. */
export function testEnvironment(dataDir: string, databaseUrl: string): NodeJS.ProcessEnv {
  const firstPort = randomInt(10_000, 30_000);
  return {
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    PORT: '0',
    DATA_DIR: dataDir,
    CONFIG_FILE: join(dataDir, 'config.yml'),
    DATABASE_URL: databaseUrl,
    DB_POOL_MAX: '8',
    ADMIN_KEY,
    SIGNUPS_PER_HOUR: '0',
    SLICE_POOL_SIZE: '0',
    // What a test watches it watches itself: else slices of a test would get requests that it did not send.
    MONITOR_INTERVAL_SECONDS: '0',
    SLICE_PORT_RANGE: `${firstPort}-${firstPort + 199}`,
    SHUTDOWN_TIMEOUT_SECONDS: '2',
  };
}

/** The whole gateway in this process, on real PostgreSQL and real sockets, with process slices of the notes app. */
export class Gateway implements AsyncDisposable {
  private disposed: Promise<void> | undefined;

  private constructor(
    readonly app: NestExpressApplication,
    readonly url: string,
    readonly config: AppConfig,
    readonly database: TestDatabase,
    readonly dataDir: string,
    private readonly cleanUp: () => Promise<void>,
  ) {}

  static async start(options: GatewayOptions = {}): Promise<Gateway> {
    const database = options.database ?? (await createTestDatabase());
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'sluice-gateway-')));
    const configFile = join(dataDir, 'config.yml');
    if (options.configFile !== undefined) await writeFile(configFile, options.configFile);
    const environment = { ...testEnvironment(dataDir, database.url), CONFIG_FILE: configFile };
    const config = loadConfig({ ...environment, ...options.env });
    const app = await build(config, options);
    await app.listen(0, '127.0.0.1');
    const url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
    if (config.http.appUrl === null) app.get(AllowedOrigins).setOwn(url);
    return new Gateway(app, url, config, database, dataDir, async () => {
      await app.close();
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
      if (options.database === undefined) await database.drop();
    });
  }

  get<T>(token: Type<T> | (abstract new (...args: never[]) => T)): T {
    return this.app.get<T>(token);
  }

  /** A browser without cookies. */
  browser(): Browser {
    return new Browser(this.url);
  }

  /** The operator with the admin key. */
  operator(): OperatorClient {
    return new OperatorClient(this.url, ADMIN_KEY);
  }

  /** A new customer, signed in, whose slice is ready. */
  async customer(email = `${crypto.randomUUID()}@example.com`): Promise<Browser> {
    const browser = this.browser();
    await browser.register(email, PASSWORD);
    await browser.sliceIsReady();
    return browser;
  }

  /** Stops it in good order, slices and all. */
  [Symbol.asyncDispose](): Promise<void> {
    this.disposed ??= this.cleanUp();
    return this.disposed;
  }
}

async function build(
  config: AppConfig,
  { override, limits, realPasswords = false }: GatewayOptions,
): Promise<NestExpressApplication> {
  const connectionLimits = Object.assign(new ConnectionLimits(), limits);
  const builder = Test.createTestingModule({ imports: [GatewayModule.forRoot(config)] })
    .overrideProvider(AuthLimits)
    .useValue(Object.assign(new AuthLimits(), GENEROUS))
    .overrideProvider(ConnectionLimits)
    .useValue(connectionLimits)
    .overrideProvider(PasswordHasherOptions)
    .useValue(realPasswords ? new PasswordHasherOptions() : CHEAP_PASSWORDS)
    .setLogger(quietLogger);
  const module = await (override?.(builder) ?? builder).compile();
  const adapter = edgeAdapter(config, connectionLimits);
  return equip(module.createNestApplication<NestExpressApplication>(adapter, NEST_OPTIONS), adapter);
}
