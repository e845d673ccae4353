import { DynamicModule, type LoggerService, Module } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Logger, LoggerModule, PinoLogger } from 'nestjs-pino';
import pino, { type DestinationStream, type LevelWithSilent } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { Options } from 'pino-http';
import { requestIdOf } from '../http/request-id.js';
import { loggedError } from './logged-error.js';
import { REDACTED_PATHS, redactUrl } from './redaction.js';

export interface LoggingOptions {
  level: string;
  /** Lines for a person, instead of JSON. */
  pretty: boolean;
  /** Where to; standard output where nothing is said. */
  destination?: DestinationStream;
}

/** pino's number for it. */
const INFO = 30;

/** Contexts in which Nest lists its modules and routes at every start: of use to nobody but Nest's own developers. */
const CHATTER: ReadonlySet<string> = new Set([
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestFactory',
]);

/** What kept the gateway from starting is said once, by the program itself, and without a stack. */
const TOLD_BY_MAIN: ReadonlySet<string> = new Set(['ExceptionHandler']);

/**
 * pino for everything Nest logs, and one line per request on our own endpoints. Proxied requests never enter Express,
 * so they cost no log line here.
 */
@Module({})
export class LoggingModule {
  static forRoot(options: LoggingOptions): DynamicModule {
    return {
      module: LoggingModule,
      imports: [LoggerModule.forRoot(loggerParams(options))],
      exports: [LoggerModule],
    };
  }
}

/**
 * The logger for the time before the module is there. Nest would keep back everything until then, and a start that
 * waits for its database has something to say.
 */
export function startLogger(options: LoggingOptions): LoggerService {
  return new Logger(new PinoLogger(loggerParams(options)), {});
}

function loggerParams(options: LoggingOptions): { pinoHttp: [Options, DestinationStream] } {
  const { level, pretty, destination = pretty ? prettyDestination() : pino.destination() } = options;
  return { pinoHttp: [httpOptions(level), destination] };
}

function httpOptions(level: string): Options {
  return {
    level,
    redact: { paths: [...REDACTED_PATHS], censor: '[redacted]' },
    hooks: {
      logMethod(args, method, severity) {
        const [bindings] = args as unknown[];
        if ((severity <= INFO && isOf(CHATTER, bindings)) || isOf(TOLD_BY_MAIN, bindings)) return;
        method.apply(this, args);
      },
    },
    genReqId: (request) => requestIdOf(request),
    customLogLevel: levelOf,
    customSuccessMessage: accessLine,
    customErrorMessage: accessLine,
    // pino-http makes up an error for every 5xx, with the stack of its own inside. Why it was one says the filter.
    customErrorObject: (_request, response, error, { err, ...facts }: Record<string, unknown>) =>
      response.errored === error ? { err, ...facts } : facts,
    serializers: {
      req: (request: { id: string; method: string; url: string; remoteAddress: string }) => ({
        id: request.id,
        method: request.method,
        url: redactUrl(request.url),
        remoteAddress: request.remoteAddress,
      }),
      res: (response: { statusCode: number }) => ({ statusCode: response.statusCode }),
      err: loggedError,
    },
  };
}

/** A defect is an error, and so is an answer that could not be written; other 5xx we give knowingly. */
function levelOf(_request: IncomingMessage, { statusCode }: ServerResponse, error?: Error): LevelWithSilent {
  if (error !== undefined || statusCode === 500) return 'error';
  return statusCode > 500 ? 'warn' : 'info';
}

function accessLine(request: IncomingMessage, response: ServerResponse): string {
  return `${request.method} ${redactUrl(request.url ?? '')} ${response.statusCode}`;
}

function isOf(contexts: ReadonlySet<string>, bindings: unknown): boolean {
  return (
    typeof bindings === 'object' &&
    bindings !== null &&
    'context' in bindings &&
    contexts.has(String(bindings.context))
  );
}

/** In this thread: what is logged stands in the terminal in the order in which it happened. */
function prettyDestination(): DestinationStream {
  return PinoPretty({
    sync: true,
    ignore: 'pid,hostname,req,res,responseTime,context,sliceId',
    messageFormat: '{if context}{context}: {end}{msg}',
    translateTime: 'SYS:HH:MM:ss',
  });
}
