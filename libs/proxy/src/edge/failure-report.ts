import { Injectable, Logger } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { Clock, type DomainError, ErrorTranslator, logFailure, requestIdOf, toDomainError } from '#common';
import { LogThrottle } from './log-throttle.js';

/** Makes of what was thrown at the edge what its client is told, and what is logged. */
@Injectable()
export class FailureReport {
  private readonly logger = new Logger('Edge');
  private readonly throttle: LogThrottle;

  constructor(
    clock: Clock,
    private readonly translator: ErrorTranslator,
  ) {
    this.throttle = new LogThrottle(clock);
  }

  /** An outage, or a flood of cookies, meets every request alike: once a second is enough to tell of it. */
  explain(req: IncomingMessage, thrown: unknown): DomainError {
    const error = toDomainError(thrown, this.translator);
    const repeats = error.code === 'DATABASE_UNAVAILABLE';
    if (!repeats || this.throttle.admits(error.code)) logFailure(this.logger, error, requestIdOf(req));
    return error;
  }
}
