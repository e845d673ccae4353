import { type INestApplication, Module, type Type } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AllowedOrigins,
  AuthLimits,
  AuthModule,
  BillingRecords,
  PasswordHasherOptions,
  SliceAllocator,
  SubscriptionReader,
} from '#auth';
import { Clock, CommonModule, DomainErrorFilter, validationPipe } from '#common';
import { type AppConfig, ConfigModule, loadConfig } from '#config';
import { DatabaseModule } from '#database';
import { MailModule } from '#mail';
import { CHEAP_PASSWORDS } from './cheap-passwords.js';
import { createTestDatabase, type TestDatabase } from './postgres.js';
import { quietLogger } from './quiet-logger.js';
import { TestClock } from './test-clock.js';

export const ADMIN_KEY = 'the-admin-key-of-the-tests';
export const ADMIN_EMAIL = 'admin@example.com';
export const ADMIN_PASSWORD = 'the password of the first admin';
/** Of every customer made here. */
export const PASSWORD = 'correct horse battery staple';

export interface StubSlice {
  readonly id: number;
  readonly name: string;
  readonly status: 'provisioning' | 'active' | 'stopped';
}

/** Gives what a test lays ready in {@link next}. */
export class StubSliceAllocator extends SliceAllocator {
  next: StubSlice | null | Error = null;
  private readonly given = new Map<string, StubSlice>();

  override async allocate({ id }: { id: string }): Promise<StubSlice | null> {
    if (this.next instanceof Error) throw this.next;
    if (this.next !== null) this.given.set(id, this.next);
    return this.next;
  }

  override async retire(userId: string): Promise<void> {
    this.given.delete(userId);
  }

  override async sliceOf(userId: string): Promise<StubSlice | null> {
    return this.given.get(userId) ?? null;
  }
}

export interface AuthAppOptions {
  /** Whether a password costs what it does in earnest. */
  readonly realPasswords?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  readonly limits?: Partial<AuthLimits>;
  readonly controllers?: Type[];
  /** What is done to the application before it listens. */
  readonly configure?: (nest: INestApplication) => void;
  /** The database of another app, to be its replica. It stays that app's to drop. */
  readonly database?: TestDatabase;
}

/** Limits no test meets by accident. */
const GENEROUS: Partial<AuthLimits> = {
  perAddress: 100_000,
  apiKeysPerAddress: 100_000,
  perApiKey: 100_000,
  loginsPerAccountAndNetwork: 100_000,
  promptLogins: 100_000,
};

/** The auth library as a server of its own, on real PostgreSQL and a real port. */
export class AuthApp implements AsyncDisposable {
  private constructor(
    readonly nest: INestApplication,
    readonly url: string,
    readonly config: AppConfig,
    readonly database: TestDatabase,
    readonly clock: TestClock,
    readonly slices: StubSliceAllocator,
    private readonly cleanUp: () => Promise<void>,
  ) {}

  static async start(options: AuthAppOptions = {}): Promise<AuthApp> {
    const database = options.database ?? (await createTestDatabase());
    const dataDir = await mkdtemp(join(tmpdir(), 'sluice-auth-'));
    const config = loadConfig({
      NODE_ENV: 'test',
      PORT: '0',
      DATA_DIR: dataDir,
      DATABASE_URL: database.url,
      DB_POOL_MAX: '5',
      SIGNUPS_PER_HOUR: '0',
      ADMIN_KEY,
      ADMIN_EMAIL,
      ADMIN_PASSWORD,
      ...options.env,
    });
    const clock = new TestClock();
    const slices = new StubSliceAllocator();
    const nest = await build(config, clock, slices, options);
    options.configure?.(nest);
    await nest.listen(0, '127.0.0.1');
    const url = await nest.getUrl();
    nest.get(AllowedOrigins).setOwn(url);
    return new AuthApp(nest, url, config, database, clock, slices, async () => {
      await nest.close();
      await rm(dataDir, { recursive: true });
      if (options.database === undefined) await database.drop();
    });
  }

  get<T>(token: Type<T> | (abstract new (...args: never[]) => T)): T {
    return this.nest.get<T>(token);
  }

  /** A request with a JSON body; what is given as `headers` comes on top. */
  async send(
    method: string,
    path: string,
    init: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const headers = new Headers(init.headers);
    if (init.body !== undefined && !headers.has('content-type'))
      headers.set('content-type', 'application/json');
    const body = typeof init.body === 'string' ? init.body : JSON.stringify(init.body);
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers,
      redirect: 'manual',
      ...(init.body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? null : JSON.parse(text),
      cookie: response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '',
    };
  }

  /** Signs a new customer up. */
  async register(email = `${crypto.randomUUID()}@example.com`): Promise<Answer & { email: string }> {
    return { ...(await this.send('POST', '/auth/register', { body: { email, password: PASSWORD } })), email };
  }

  async login(email: string, password = PASSWORD, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('POST', '/auth/login', { body: { email, password }, headers });
  }

  async me(cookie: string): Promise<Answer> {
    return this.send('GET', '/auth/me', { headers: { cookie } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanUp();
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, never> & { user: { id: string; email: string; role: string } };
  /** `name=value` of the first Set-Cookie; empty without one. */
  readonly cookie: string;
}

async function build(
  config: AppConfig,
  clock: TestClock,
  slices: StubSliceAllocator,
  { limits, controllers = [], realPasswords = false }: AuthAppOptions,
): Promise<INestApplication> {
  @Module({
    imports: [
      CommonModule,
      ConfigModule.forRoot(config),
      DatabaseModule.forRoot(),
      MailModule.forRoot(config),
      AuthModule.forRoot(config),
    ],
    controllers,
    providers: [
      { provide: APP_FILTER, useClass: DomainErrorFilter },
      { provide: APP_PIPE, useFactory: validationPipe },
    ],
  })
  class TestGateway {}

  const module = await Test.createTestingModule({ imports: [TestGateway, slicesModule(slices)] })
    .overrideProvider(Clock)
    .useValue(clock)
    .overrideProvider(AuthLimits)
    .useValue(new AuthLimits({ ...GENEROUS, ...limits }))
    .overrideProvider(PasswordHasherOptions)
    .useValue(realPasswords ? new PasswordHasherOptions() : CHEAP_PASSWORDS)
    .setLogger(quietLogger)
    .compile();
  return module.createNestApplication({ logger: quietLogger });
}

function slicesModule(slices: StubSliceAllocator) {
  class Slices {}
  return {
    module: Slices,
    global: true,
    providers: [
      { provide: SliceAllocator, useValue: slices },
      { provide: SubscriptionReader, useValue: { subscriptionOf: () => Promise.resolve(null) } },
      { provide: BillingRecords, useValue: { recordOf: () => Promise.resolve(null) } },
    ],
    exports: [SliceAllocator, SubscriptionReader, BillingRecords],
  };
}
