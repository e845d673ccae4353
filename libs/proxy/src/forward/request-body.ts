import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/**
 * The body of a request on its way to an upstream. A stream of its own and not the request itself: undici destroys
 * the body when the upstream answers early, and a destroyed request would leave its connection hanging; here the
 * rest is read and dropped instead.
 *
 * It also watches for a client that stalls its upload. Only waiting for the client counts: while the upstream does
 * not read, nobody asks the client for more.
 */
export class RequestBody extends Readable {
  readonly #req: IncomingMessage;
  readonly #idle: NodeJS.Timeout;

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

  override _read(): void {
    if (this.#req.isPaused()) {
      this.#idle.refresh();
      this.#req.resume();
    }
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    clearTimeout(this.#idle);
    this.#req.off('data', this.#onData).off('end', this.#onEnd).resume();
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
