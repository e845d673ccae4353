import { DynamicModule, Module } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LoggerModule } from 'nestjs-pino';
import { requestIdOf } from '../http/request-id.js';
import { REDACTED_PATHS, redactUrl } from './redaction.js';

export interface LoggingOptions {
  level: string;
  /** One line a person reads, instead of JSON. */
  pretty: boolean;
}

/**
 * pino for everything Nest logs, and one line per request on our own endpoints. Proxied requests never enter Express,
 * so they cost no log line here.
 */
@Module({})
export class LoggingModule {
  static forRoot(options: LoggingOptions): DynamicModule {
    return {
      module: LoggingModule,
      imports: [
        LoggerModule.forRoot({
          pinoHttp: {
            level: options.level,
            redact: { paths: [...REDACTED_PATHS], censor: '[redacted]' },
            genReqId: (request: IncomingMessage) => requestIdOf(request),
            customLogLevel: (_request: IncomingMessage, response: ServerResponse, error?: Error) =>
              error !== undefined || response.statusCode >= 500 ? 'error' : 'info',
            customSuccessMessage: (request, response) =>
              `${request.method} ${redactUrl(request.url ?? '')} ${response.statusCode}`,
            customErrorMessage: (request, response) =>
              `${request.method} ${redactUrl(request.url ?? '')} ${response.statusCode}`,
            serializers: {
              req: (request: { id: string; method: string; url: string; remoteAddress: string }) => ({
                id: request.id,
                method: request.method,
                url: redactUrl(request.url),
                remoteAddress: request.remoteAddress,
              }),
              res: (response: { statusCode: number }) => ({ statusCode: response.statusCode }),
            },
            ...(options.pretty
              ? {
                  transport: {
                    target: 'pino-pretty',
                    options: {
                      ignore: 'pid,hostname,req,res,responseTime,context',
                      messageFormat: '{if context}[{context}] {end}{msg}',
                    },
                  },
                }
              : {}),
          },
        }),
      ],
      exports: [LoggerModule],
    };
  }
}
