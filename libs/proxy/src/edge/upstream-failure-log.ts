import type { IncomingMessage } from 'node:http';
import { Logger } from '@nestjs/common';
import { reasonOf, requestIdOf, type Clock, type ProxyError } from '#common';
import { LogThrottle } from './log-throttle.js';

/**
 * Tells the operator of slices and other upstreams that fail, once a second each: which one, and how. Never whose
 * request it was, nor for what.
 */
export class UpstreamFailureLog {
  private readonly logger = new Logger(UpstreamFailureLog.name);
  private readonly throttle: LogThrottle;

  constructor(clock: Clock) {
    this.throttle = new LogThrottle(clock);
  }

  /**
   * Takes the outcome of a forwarded request or upgrade.
   * @param origin `http://host:port` of the upstream
   * @param error null for a success; what is the client's doing is left out
   */
  record(req: IncomingMessage, origin: string, error: ProxyError | null): void {
    if (error?.code !== 'BAD_GATEWAY' && error?.code !== 'GATEWAY_TIMEOUT') return;
    if (!this.throttle.admits(origin)) return;
    this.logger.warn(
      { code: error.code, origin, reqId: requestIdOf(req), reason: reasonOf(error) },
      'an upstream did not answer as it should',
    );
  }
}
