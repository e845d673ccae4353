import { Injectable } from '@nestjs/common';
import { CoreError } from '../errors/domain-error.js';

/** Each holds a connection, and most of them a log or a channel as well; these are for a few people who look. */
const MAX_OPEN = 100;

/** The answers of this gateway that go on until somebody ends them. Whoever drains the gateway ends them all. */
@Injectable()
export class OpenStreams {
  private readonly open = new Set<AbortController>();
  private ended = false;

  /**
   * Takes up one more. Aborting it is how anybody ends it.
   * @throws CoreError RATE_LIMITED when there are as many as there may be, SHUTTING_DOWN
   */
  begin(): AbortController {
    if (this.ended) throw new CoreError('SHUTTING_DOWN', 'The gateway is stopping. Ask again in a moment.');
    if (this.open.size >= MAX_OPEN) {
      throw new CoreError('RATE_LIMITED', 'Too many streams are open. Close one, or ask without ?follow.', {
        retryAfterSeconds: 10,
      });
    }
    const stream = new AbortController();
    this.open.add(stream);
    stream.signal.addEventListener('abort', () => this.open.delete(stream), { once: true });
    return stream;
  }

  get size(): number {
    return this.open.size;
  }

  endAll(): void {
    this.ended = true;
    for (const stream of this.open) stream.abort();
  }
}
