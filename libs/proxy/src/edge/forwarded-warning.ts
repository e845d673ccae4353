import type { IncomingMessage } from 'node:http';
import { Logger } from '@nestjs/common';

/** Tells the operator, once, of a proxy in front that TRUST_PROXY does not name: behind it all callers are one. */
export class ForwardedWarning {
  private readonly logger = new Logger(ForwardedWarning.name);
  private given = false;

  /** Looks at a request of a peer that is not trusted. */
  observe(req: IncomingMessage): void {
    if (this.given || req.headers['x-forwarded-for'] === undefined) return;
    this.given = true;
    this.logger.warn(
      { peer: req.socket.remoteAddress },
      'X-Forwarded-For came from a peer that TRUST_PROXY does not name, and is ignored. If this peer is your proxy, ' +
        'name it there: until then everybody behind it counts as one address.',
    );
  }
}
