import { DynamicModule, Module } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LoggerModule } from 'nestjs-pino';
import pino, { type DestinationStream } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { Options } from 'pino-http';
import { requestIdOf } from '../http/request-id.js';
import { loggedError } from './logged-error.js';
import { REDACTED_PATHS, redactUrl } from './redaction.js';

export interface LoggingOptions {
  level: string;
  /** Lines for a person, instead of JSON. */
  pretty: boolean;
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

/**
 * pino for everything Nest logs, and one line per request on our own endpoints. Proxied requests never enter Express,
 * so they cost no log line here.
 */
@Module({})
export class LoggingModule {
  static forRoot(options: LoggingOptions): DynamicModule {
    const destination = options.pretty ? prettyDestination() : pino.destination();
    return {
      module: LoggingModule,
      imports: [LoggerModule.forRoot({ pinoHttp: [httpOptions(options.level), destination] })],
      exports: [LoggerModule],
    };
  }
}

function httpOptions(level: string): Options {
  return {
    level,
    redact: { paths: [...REDACTED_PATHS], censor: '[redacted]' },
    hooks: {
      logMethod(args, method, severity) {
        const [bindings] = args as unknown[];
        if (severity <= INFO && isChatter(bindings)) return;
        method.apply(this, args);
      },
    },
    genReqId: (request) => requestIdOf(request),
    customLogLevel: (_request, response, error) =>
      error !== undefined || response.statusCode >= 500 ? 'error' : 'info',
    customSuccessMessage: accessLine,
    customErrorMessage: accessLine,
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

function accessLine(request: IncomingMessage, response: ServerResponse): string {
  return `${request.method} ${redactUrl(request.url ?? '')} ${response.statusCode}`;
}

function isChatter(bindings: unknown): boolean {
  return (
    typeof bindings === 'object' &&
    bindings !== null &&
    'context' in bindings &&
    CHATTER.has(String(bindings.context))
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
