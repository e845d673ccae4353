import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type ConnectionOptions, keepAliveOf } from './connection-options.js';
import { RequestSender } from './request-sender.js';
import type { ResponseHead } from './response-head.js';
import { ResponseParser, type ResponseSink } from './response-parser.js';
import { UpstreamFault } from './upstream-fault.js';
import { type ExchangeControl, type UpstreamHandler, type UpstreamRequest } from './upstream-request.js';

/** Where a connection leads. */
export interface UpstreamAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** Who keeps the connection while nobody uses it. */
export interface ConnectionOwner {
  /** It is open, idle, and takes the next request. */
  released(connection: UpstreamConnection): void;
  /** It is no more; called once. */
  closed(connection: UpstreamConnection): void;
}

const TCP_KEEP_ALIVE_MS = 60_000;

const READ_SIZE = 64 * 1024;
/**
 * What all connections read into: libuv names the memory and reads in one step, and what is read is taken or copied
 * before the next read. On Windows it names it long before, so there each connection has its own.
 */
const SHARED_MEMORY = Buffer.allocUnsafeSlow(READ_SIZE);

const NEVER = Number.POSITIVE_INFINITY;

/** One HTTP/1.1 connection to an upstream, with at most one exchange on it at a time (no pipelining). */
export class UpstreamConnection implements ResponseSink, ExchangeControl {
  readonly #owner: ConnectionOwner;
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #parser = new ResponseParser(this);
  #request: UpstreamRequest | null;
  #handler: UpstreamHandler | null;
  #sender: RequestSender | null = null;
  /** Whether it may serve another request after this one. */
  #persistent = true;
  #keepAliveMs: number;
  #idleUntil = NEVER;
  #isOpen = false;
  #isClosed = false;
  /** Whether it served an exchange before the one it has. */
  #isReused = false;
  /** Whether a byte of the request may have left. */
  #isSent = false;
  /** Whether a byte of the answer has arrived. */
  #hasAnswer = false;
  /** Whether the final answer has not begun. */
  #awaitsHead = false;
  #cause: unknown = null;
  /** When the head of the answer is due, by `performance.now()`. */
  #headDue = NEVER;
  /** One for all requests of the connection: it looks at the time when it fires, and is not set anew for each. */
  #timer: NodeJS.Timeout | null = null;
  #timerFiresAt = NEVER;

  /** Opens a connection, and sends a request over it once it stands. */
  constructor(
    address: UpstreamAddress,
    options: ConnectionOptions,
    owner: ConnectionOwner,
    request: UpstreamRequest,
    handler: UpstreamHandler,
  ) {
    this.#owner = owner;
    this.#options = options;
    this.#keepAliveMs = options.keepAliveMs;
    this.#request = request;
    this.#handler = handler;
    this.#schedule(options.connectTimeoutMs);
    this.#socket = this.#open(address);
    this.#socket
      .on('end', () => this.#onEnd())
      .on('error', (error) => (this.#cause = error))
      .on('close', () => this.#onClose());
  }

  /** Whether the upstream can be expected to have closed it by now. @param now of `performance.now()` */
  isStale(now: number): boolean {
    return this.#socket.destroyed || now >= this.#idleUntil;
  }

  /** Sends the next request; only while it is idle. */
  send(request: UpstreamRequest, handler: UpstreamHandler): void {
    this.#request = request;
    this.#handler = handler;
    this.#isReused = true;
    this.#isSent = false;
    this.#hasAnswer = false;
    this.#begin(request, handler);
  }

  /** Closes it; an exchange under way fails by the reason. Resolves when it is closed. */
  async destroy(reason: unknown): Promise<void> {
    this.#fail(reason);
    // Its own `closed` is set by `destroy()`, before it is.
    if (!this.#isClosed) await new Promise((resolve) => this.#socket.once('close', resolve));
  }

  pause(handler: UpstreamHandler): void {
    if (handler === this.#handler) this.#socket.pause();
  }

  resume(handler: UpstreamHandler): void {
    if (handler === this.#handler) this.#socket.resume();
  }

  abort(handler: UpstreamHandler): void {
    if (handler !== this.#handler) return;
    this.#handler = null;
    this.#stopSending();
    // Before anything was sent it is as good as it was.
    if (this.#isOpen && !this.#isSent) this.#release();
    else this.#socket.destroy();
  }

  onHead(head: ResponseHead): void {
    if (head.status >= 200) {
      this.#headDue = NEVER;
      this.#awaitsHead = false;
      this.#persistent = head.persistent;
      this.#keepAliveMs = keepAliveOf(head.keepAliveSeconds, this.#options.keepAliveMs);
    }
    this.#handler?.onResponseStart(head);
  }

  onBody(bytes: Buffer): void {
    this.#handler?.onResponseData(bytes);
  }

  onComplete(trailers: readonly string[]): void {
    const handler = this.#handler;
    if (handler === null) return;
    this.#handler = null;
    // Answered before it was read: what is left of the request would be taken for the next one.
    if (this.#sender !== null) this.#persistent = false;
    this.#stopSending();
    try {
      handler.onResponseEnd(trailers);
    } catch (cause) {
      handler.onResponseError(cause);
    }
  }

  #open({ host, port, tls }: UpstreamAddress): Socket {
    const common = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS };
    if (tls) {
      const servername = isIP(host) === 0 ? { servername: host } : {};
      return connectTls({ ...this.#options.tls, ...common, ...servername, ALPNProtocols: ['http/1.1'] })
        .on('secureConnect', () => this.#onOpen())
        .on('data', (bytes: Buffer) => this.#onBytes(bytes));
    }
    const buffer = process.platform === 'win32' ? Buffer.allocUnsafeSlow(READ_SIZE) : SHARED_MEMORY;
    const callback = (size: number): boolean => {
      this.#onBytes(buffer.subarray(0, size));
      return true;
    };
    return connectTcp({ ...common, onread: { buffer, callback } }).on('connect', () => this.#onOpen());
  }

  #onOpen(): void {
    this.#isOpen = true;
    if (this.#request !== null && this.#handler !== null) this.#begin(this.#request, this.#handler);
  }

  /**
   * A body is read only after the event at hand: what came together with the head may be found to be broken in it, and
   * then nothing of the request is sent.
   */
  #begin(request: UpstreamRequest, handler: UpstreamHandler): void {
    if (request.body === null) this.#start(request, handler);
    else setImmediate(() => this.#start(request, handler));
  }

  #start(request: UpstreamRequest, handler: UpstreamHandler): void {
    if (this.#handler !== handler || this.#socket.destroyed) return;
    this.#headDue = NEVER;
    handler.onRequestStart(this);
    if (this.#handler !== handler) return;
    this.#isSent = true;
    this.#awaitsHead = true;
    this.#parser.expect(request.method === 'HEAD');
    this.#socket.write(request.head, 'latin1');
    if (request.body !== null) {
      this.#sender = new RequestSender(request.body, this.#socket, request.chunked, () => {
        this.#sender = null;
        // An answer may have begun by now, and then take its time.
        if (this.#awaitsHead) this.#awaitHead();
      });
    }
    this.#awaitHead();
  }

  #onBytes(bytes: Buffer): void {
    // Nobody has asked for them, so they are nobody's answer.
    if (this.#handler === null || !this.#isSent) {
      this.#socket.destroy();
      return;
    }
    this.#hasAnswer = true;
    try {
      const theirs = this.#parser.feed(bytes);
      if (!theirs) this.#persistent = false;
    } catch (cause) {
      this.#socket.destroy();
      // What came before it in the same bytes goes out first: the client sees where its answer was cut.
      process.nextTick(() => this.#fail(cause));
      return;
    }
    if (this.#handler === null) this.#release();
  }

  /** After an exchange: it takes the next one, or is closed. */
  #release(): void {
    this.#request = null;
    // Nobody else would: by the last piece of an answer it was paused for one who may resume it no more.
    if (this.#socket.isPaused()) this.#socket.resume();
    if (this.#keepAliveMs <= 0 || !this.#persistent || !this.#parser.isIdle || this.#socket.destroyed) {
      this.#socket.destroy();
      return;
    }
    this.#idleUntil = performance.now() + this.#keepAliveMs;
    this.#owner.released(this);
  }

  #onEnd(): void {
    this.#persistent = false;
    if (this.#handler !== null && !this.#parser.close()) {
      this.#fail(this.#broken('The upstream closed the connection'));
    }
    this.#socket.destroy();
  }

  #onClose(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#handler !== null) this.#fail(this.#broken('The connection to the upstream ended'));
    this.#owner.closed(this);
  }

  /** Why the connection broke under an exchange. */
  #broken(message: string): unknown {
    // The upstream may have closed it before it saw the request, as it may do with any that is idle.
    if (this.#isReused && !this.#hasAnswer) return new UpstreamFault('UPSTREAM_STALE', message, this.#cause);
    return this.#cause ?? new UpstreamFault('UPSTREAM_CLOSED', message);
  }

  #fail(cause: unknown): void {
    const handler = this.#handler;
    this.#handler = null;
    this.#stopSending();
    this.#socket.destroy();
    handler?.onResponseError(cause);
  }

  #stopSending(): void {
    this.#sender?.stop();
    this.#sender = null;
  }

  #awaitHead(): void {
    const timeoutMs = this.#request?.timeoutMs ?? NEVER;
    this.#headDue = performance.now() + timeoutMs;
    if (this.#timer === null || this.#timerFiresAt > this.#headDue) this.#schedule(timeoutMs);
  }

  #schedule(afterMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerFiresAt = performance.now() + afterMs;
    this.#timer = setTimeout(this.#onTimer, Math.ceil(afterMs)).unref();
  }

  readonly #onTimer = (): void => {
    this.#timer = null;
    if (!this.#isOpen) {
      this.#fail(new UpstreamFault('UPSTREAM_CONNECT_TIMEOUT', 'The upstream took no connection in time'));
      return;
    }
    if (this.#headDue === NEVER) return;
    const leftMs = this.#headDueOf(this.#sender) - performance.now();
    if (leftMs > 0) this.#schedule(leftMs);
    else this.#fail(new UpstreamFault('UPSTREAM_HEAD_TIMEOUT', 'The upstream did not answer in time'));
  };

  /** While the request is being sent, the time counts from the last piece of it, and only where the upstream does not take it. */
  #headDueOf(sender: RequestSender | null): number {
    if (sender === null) return this.#headDue;
    const timeoutMs = this.#request?.timeoutMs ?? NEVER;
    return (sender.isBlocked ? sender.lastWrittenAt : performance.now()) + timeoutMs;
  }
}
