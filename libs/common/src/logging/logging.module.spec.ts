import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { Logger } from 'nestjs-pino';
import type { AddressInfo } from 'node:net';
import { CommonModule } from '../common.module.js';
import { CoreError, OrchestratorError } from '../errors/domain-error.js';
import { DomainErrorFilter } from '../errors/domain-error.filter.js';
import { ErrorTranslator } from '../errors/error-translator.js';
import { LoggingModule } from './logging.module.js';

const WARN = 40;
const ERROR = 50;

const lines: Array<Record<string, unknown>> = [];

@Controller()
class Failing {
  @Get('full')
  full(): never {
    throw new OrchestratorError('NO_FREE_PORT', 'There is no free port.');
  }

  @Get('away')
  away(): never {
    const cause = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' });
    throw new CoreError('DATABASE_UNAVAILABLE', 'Try again in a moment.', { cause });
  }

  @Get('defect')
  defect(): never {
    throw new TypeError('undefined is not a slice');
  }

  @Get('unknown')
  unknown(): never {
    throw new OrchestratorError('SLICE_NOT_FOUND', 'There is no such slice.');
  }
}

@Module({
  imports: [
    CommonModule,
    LoggingModule.forRoot({
      level: 'info',
      pretty: false,
      destination: { write: (line) => lines.push(JSON.parse(line)) },
    }),
  ],
  controllers: [Failing],
  providers: [
    { provide: APP_FILTER, useClass: DomainErrorFilter },
    { provide: ErrorTranslator, useValue: { translate: () => null } },
  ],
})
class FailingModule {}

describe('the log of an own endpoint', () => {
  let app: INestApplication;

  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [FailingModule] }).compile();
    app = module.createNestApplication({ bufferLogs: true });
    app.useLogger(app.get(Logger));
    await app.listen(0, '127.0.0.1');
  });
  afterAll(() => app.close());
  beforeEach(() => {
    lines.length = 0;
  });

  async function linesOf(path: string): Promise<Array<Record<string, unknown>>> {
    const { port } = app.getHttpServer().address() as AddressInfo;
    await (await fetch(`http://127.0.0.1:${port}/${path}`)).arrayBuffer();
    return lines;
  }

  it('has one warning of a refusal by 503, and one of the request, and no stack', async () => {
    const told = await linesOf('full');
    expect(told).toMatchObject([
      { level: WARN, code: 'NO_FREE_PORT', reason: 'There is no free port.', msg: 'There is no free port.' },
      { level: WARN, res: { statusCode: 503 }, msg: 'GET /full 503' },
    ]);
    expect(told[1]).toMatchObject({ req: { id: told[0]?.['reqId'] } });
    expect(JSON.stringify(told)).not.toContain('stack');
  });

  it('says what happened below, if only by its code', async () => {
    const [warning] = await linesOf('away');
    expect(warning).toMatchObject({ code: 'DATABASE_UNAVAILABLE', reason: 'ECONNREFUSED' });
  });

  it('has the stack of a defect, once', async () => {
    const told = await linesOf('defect');
    expect(told).toMatchObject([
      {
        level: ERROR,
        code: 'INTERNAL_ERROR',
        err: { type: 'TypeError', stack: expect.stringContaining('Failing.defect') },
      },
      { level: ERROR, msg: 'GET /defect 500' },
    ]);
    expect(told[1]).not.toHaveProperty('err');
  });

  it('has of a fault of the caller the request alone', async () => {
    expect(await linesOf('unknown')).toMatchObject([{ level: 30, msg: 'GET /unknown 404' }]);
  });
});
