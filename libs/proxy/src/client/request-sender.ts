import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';

/** What is smaller is no burden, in bytes. */
const LARGE = 16 * 1024;

/** Writes the body of one request to a connection, as fast as both ends allow. */
export class RequestSender {
  readonly #body: Readable;
  readonly #socket: Socket;
  readonly #chunked: boolean;
  readonly #onSent: () => void;
  #lastWrittenAt = performance.now();
  #endOfLast = '';

  /** @param onSent called once, when the end of the request has been written */
  constructor(body: Readable, socket: Socket, chunked: boolean, onSent: () => void) {
    this.#body = body;
    this.#socket = socket;
    this.#chunked = chunked;
    this.#onSent = onSent;
    body.on('data', this.#onData).on('end', this.#onEnd).on('close', this.stop);
    socket.on('drain', this.#onDrain);
  }

  /** Whether it is the upstream that is waited for, and not the client. */
  get isBlocked(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** When the last piece was written, by `performance.now()`. */
  get lastWrittenAt(): number {
    return this.#lastWrittenAt;
  }

  /** Lets go of both ends. Repeatable. */
  readonly stop = (): void => {
    this.#body.off('data', this.#onData).off('end', this.#onEnd).off('close', this.stop);
    this.#socket.off('drain', this.#onDrain);
  };

  readonly #onData = (bytes: Buffer): void => {
    this.#lastWrittenAt = performance.now();
    if (!this.#write(bytes)) this.#body.pause();
  };

  readonly #onDrain = (): void => {
    this.#body.resume();
  };

  readonly #onEnd = (): void => {
    this.stop();
    if (this.#chunked) this.#socket.write(`${this.#endOfLast}0\r\n\r\n`, 'latin1');
    this.#onSent();
  };

  #write(bytes: Buffer): boolean {
    const onWritten = bytes.length < LARGE ? undefined : (): void => giveBack(bytes);
    if (!this.#chunked) return this.#socket.write(bytes, onWritten);
    // Of no length, it would be the last one.
    if (bytes.length === 0) return true;
    // The end of a chunk goes with the beginning of the next: two pieces for the kernel to gather, and not three.
    const line = `${this.#endOfLast}${bytes.length.toString(16)}\r\n`;
    this.#endOfLast = '\r\n';
    this.#socket.cork();
    this.#socket.write(line, 'latin1');
    const takesMore = this.#socket.write(bytes, onWritten);
    this.#socket.uncork();
    return takesMore;
  }
}

/**
 * Frees the memory of a piece that nobody reads any more. Left to the garbage collector it would wait until all else is
 * looked through, and that is done again and again for the sake of such memory: it was a third of what an upload cost.
 */
function giveBack({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
