import { Readable } from 'node:stream';
import { Logger } from '@nestjs/common';

/** One message of a stream, as browsers read it (HTML, server-sent events). */
export interface ServerSentEvent {
  readonly event: string;
  /** What a client says it had, when it comes again. */
  readonly id?: string;
  readonly data: string;
}

/** Proxies close what says nothing; and only by writing is it noticed that a client has gone without a word. */
const HEARTBEAT_MS = 15_000;
const HEARTBEAT = ': alive\n\n';

/**
 * An answer of server-sent events. Taken from the source as fast as the client reads, and no faster; when the client
 * goes or `ending` is aborted, the source is told by that same signal.
 */
export class EventStream extends Readable {
  private readonly logger = new Logger(EventStream.name);
  private readonly source: AsyncIterator<ServerSentEvent>;
  private readonly heartbeat: NodeJS.Timeout;
  private pulling = false;
  private ended = false;

  constructor(
    open: (signal: AbortSignal) => AsyncIterable<ServerSentEvent>,
    private readonly ending: AbortController,
  ) {
    super({ highWaterMark: 64 * 1024 });
    this.source = open(ending.signal)[Symbol.asyncIterator]();
    this.heartbeat = setInterval(() => this.beat(), HEARTBEAT_MS).unref();
    ending.signal.addEventListener('abort', () => this.finish(), { once: true });
    // The head goes out at once, so that a client knows that it is connected.
    this.push(HEARTBEAT);
    // Ended before it began: nobody would be told any more.
    if (ending.signal.aborted) this.finish();
  }

  override _read(): void {
    if (this.pulling) return;
    this.pulling = true;
    void this.pull();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearInterval(this.heartbeat);
    this.ending.abort();
    void this.leave();
    callback(error);
  }

  private async pull(): Promise<void> {
    try {
      const { done, value } = await this.source.next();
      this.pulling = false;
      if (done === true) this.finish();
      else if (!this.ended) this.push(textOf(value));
    } catch (error) {
      this.logger.warn({ err: error }, 'a stream of events broke off');
      this.finish();
    }
  }

  /** What the source still fails at concerns nobody any more. */
  private async leave(): Promise<void> {
    try {
      await this.source.return?.();
    } catch {
      // Told before, or about what nobody reads.
    }
  }

  private beat(): void {
    if (this.readableLength === 0 && !this.ended) this.push(HEARTBEAT);
  }

  /** In good order, so that the client is not told of a broken connection. */
  private finish(): void {
    clearInterval(this.heartbeat);
    if (this.ended) return;
    this.ended = true;
    this.push(null);
    this.ending.abort();
  }
}

function textOf({ event, id, data }: ServerSentEvent): string {
  const lines = data.split(/\r\n|\n|\r/).map((line) => `data: ${line}\n`);
  return `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}${lines.join('')}\n`;
}
