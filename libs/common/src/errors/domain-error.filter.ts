import { ArgumentsHost, Catch, ExceptionFilter, Injectable, Logger } from '@nestjs/common';
import type { Request, Response } from 'express';
import { requestIdOf } from '../http/request-id.js';
import { Clock } from '../time/clock.js';
import { CHALLENGE } from './challenge.js';
import type { DomainError } from './domain-error.js';
import { errorBody } from './error-body.js';
import { ErrorTranslator } from './error-translator.js';
import { logFailure } from './log-failure.js';
import { rateLimitHeaders } from './rate-limit-headers.js';
import { statusOf } from './status-of.js';
import { toDomainError } from './to-domain-error.js';

/** The one filter: whatever is thrown below a controller leaves in the contract's error shape. */
@Catch()
@Injectable()
export class DomainErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger(DomainErrorFilter.name);

  constructor(
    private readonly clock: Clock,
    private readonly translator: ErrorTranslator,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const error = toDomainError(thrown, this.translator);
    logFailure(this.logger, error, requestIdOf(request));
    if (response.headersSent) {
      // The answer has begun: a cut connection is the only honest end of it.
      response.destroy();
      return;
    }
    if (error.retryAfterSeconds !== undefined) response.setHeader('Retry-After', error.retryAfterSeconds);
    if (error.rateLimit !== undefined) response.set(rateLimitHeaders(error.rateLimit));
    const status = statusOf(error.code);
    if (status === 401) response.setHeader('WWW-Authenticate', CHALLENGE);
    response.status(status);
    this.write(error, request, response);
  }

  /** Writes the body of the answer; where a person reads it, a page can take the place of the error shape. */
  protected write(error: DomainError, request: Request, response: Response): void {
    response.json(errorBody(error, requestIdOf(request), this.clock.now()));
  }
}
