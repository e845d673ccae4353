import type { INestApplicationContext, LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { Clock, CommonModule, Mailer } from '#common';
import { ConfigModule, loadConfig } from '#config';
import { DatabaseModule, OutgoingMail, Transactions } from '#database';
import { MailModule } from '#mail';
import { createTestDatabase, type TestDatabase } from './postgres.js';
import { quietLogger } from './quiet-logger.js';
import { TestClock } from './test-clock.js';

export interface MailAppOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Of another one, to be its replica; it stays that one's to drop. */
  readonly database?: TestDatabase;
  readonly clock?: TestClock;
  readonly logger?: LoggerService;
}

/** The mail library alone, on real PostgreSQL. */
export class MailApp implements AsyncDisposable {
  private constructor(
    private readonly nest: INestApplicationContext,
    readonly database: TestDatabase,
    readonly clock: TestClock,
    private readonly cleanUp: () => Promise<void>,
  ) {}

  static async start(options: MailAppOptions = {}): Promise<MailApp> {
    const { clock = new TestClock(), logger = quietLogger } = options;
    const database = options.database ?? (await createTestDatabase());
    const dataDir = await mkdtemp(join(tmpdir(), 'sluice-mail-'));
    const config = loadConfig({
      NODE_ENV: 'test',
      DATA_DIR: dataDir,
      DATABASE_URL: database.url,
      DB_POOL_MAX: '3',
      SECRET_KEY: 'the secret key of every mail app of the tests',
      MAIL_FROM: 'Sluice <noreply@sluice.example>',
      ...options.env,
    });
    const module = await Test.createTestingModule({
      imports: [
        CommonModule,
        ConfigModule.forRoot(config),
        DatabaseModule.forRoot(),
        MailModule.forRoot(config),
      ],
    })
      .overrideProvider(Clock)
      .useValue(clock)
      .setLogger(logger)
      .compile();
    const nest = await module.init();
    return new MailApp(nest, database, clock, async () => {
      await nest.close();
      await rm(dataDir, { recursive: true });
      if (options.database === undefined) await database.drop();
    });
  }

  get mailer(): Mailer {
    return this.nest.get(Mailer);
  }

  get transactions(): Transactions {
    return this.nest.get(Transactions);
  }

  /** What is still to be sent. */
  waiting(): Promise<OutgoingMail[]> {
    return this.nest.get(DataSource).getRepository(OutgoingMail).find();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanUp();
  }
}
