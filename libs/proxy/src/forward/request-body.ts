import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/**
 * The body of a request on its way to an upstream. A stream of its own and not the request itself: where the
 * upstream answers early it is destroyed, and a destroyed request would leave its connection hanging; here the rest is
 * read and dropped instead.
 *
 * It also watches for a client that stalls its upload. Only waiting for the client counts: while the upstream does
 * not read, nobody asks the client for more.
 */
export class RequestBody extends Readable {
  readonly #req: IncomingMessage;
  readonly #idle: NodeJS.Timeout;
  #touched = false;
  #handedOver = false;

  /**
   * @param idleMs how long the client may send nothing while it is waited for
   * @param onStalled called once, when it has
   */
  constructor(req: IncomingMessage, idleMs: number, onStalled: () => void) {
    super({ highWaterMark: req.readableHighWaterMark });
    this.#req = req;
    this.#idle = setTimeout(() => {
      if (!req.isPaused()) onStalled();
    }, idleMs);
    req.on('data', this.#onData).on('end', this.#onEnd).pause();
  }

  /** Whether nobody has read of it yet. */
  get untouched(): boolean {
    return !this.#touched;
  }

  /** Lets go of the request, for another body to read it: nothing of it is lost. Only while it is untouched. */
  handOver(): void {
    this.#handedOver = true;
    this.destroy();
  }

  override _read(): void {
    this.#touched = true;
    if (this.#req.isPaused()) {
      this.#idle.refresh();
      this.#req.resume();
    }
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    clearTimeout(this.#idle);
    this.#req.off('data', this.#onData).off('end', this.#onEnd);
    if (!this.#handedOver) this.#req.resume();
    callback(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#idle.refresh();
    if (!this.push(chunk)) this.#req.pause();
  };

  readonly #onEnd = (): void => {
    clearTimeout(this.#idle);
    this.push(null);
  };
}
