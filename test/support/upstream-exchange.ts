import type { ResponseHead } from '../../libs/proxy/src/client/response-head.js';
import type { UpstreamClient } from '../../libs/proxy/src/client/upstream-client.js';
import type {
  ExchangeControl,
  RequestParts,
  UpstreamHandler,
} from '../../libs/proxy/src/client/upstream-request.js';

/** What a test does at a point of an exchange. */
export interface Hooks {
  onStart?(control: ExchangeControl, exchange: UpstreamExchange): void;
  onHead?(head: ResponseHead, exchange: UpstreamExchange): void;
  onData?(bytes: Buffer, exchange: UpstreamExchange): void;
}

/** The whole answer to a request. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly body: string;
  readonly trailers: readonly string[];
}

/** One request over an {@link UpstreamClient}, and what became of it. */
export class UpstreamExchange implements UpstreamHandler {
  /** What was called, in its order. */
  readonly heard: string[] = [];
  /** Status of each head. */
  readonly statuses: number[] = [];
  body = '';
  received = 0;
  control: ExchangeControl | null = null;
  readonly #started = Promise.withResolvers<void>();
  readonly #begun = Promise.withResolvers<void>();
  readonly #firstData = Promise.withResolvers<void>();
  readonly #answer = Promise.withResolvers<UpstreamAnswer>();

  constructor(private readonly hooks: Hooks = {}) {
    this.#answer.promise.catch(() => undefined);
  }

  /** Sends a request, by default a GET that has all the time of the test. */
  static of(
    client: UpstreamClient,
    origin: string,
    parts: Partial<RequestParts> = {},
    hooks: Hooks = {},
  ): UpstreamExchange {
    const exchange = new UpstreamExchange(hooks);
    const usual = { method: 'GET', path: '/', headers: ['Host', 'a'], body: null, timeoutMs: 30_000 };
    client.dispatch(origin, { ...usual, ...parts }, exchange);
    return exchange;
  }

  /** Resolves once the request is about to be sent. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** Resolves with the head of the final answer. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  /** Resolves with the first bytes of the body. */
  get firstData(): Promise<void> {
    return this.#firstData.promise;
  }

  /** Rejects by what {@link onResponseError} was told. */
  get answer(): Promise<UpstreamAnswer> {
    return this.#answer.promise;
  }

  pause(): void {
    this.control?.pause(this);
  }

  resume(): void {
    this.control?.resume(this);
  }

  abort(): void {
    this.control?.abort(this);
  }

  onRequestStart(control: ExchangeControl): void {
    this.heard.push('start');
    this.control = control;
    this.#started.resolve();
    this.hooks.onStart?.(control, this);
  }

  onResponseStart(head: ResponseHead): void {
    this.heard.push('head');
    this.statuses.push(head.status);
    if (head.status >= 200) this.#begun.resolve();
    this.hooks.onHead?.(head, this);
  }

  onResponseData(bytes: Buffer): void {
    if (this.heard.at(-1) !== 'data') this.heard.push('data');
    // Not kept of what is large: it is counted.
    if (this.received < 1_000_000) this.body += bytes.toString('latin1');
    this.received += bytes.length;
    this.#firstData.resolve();
    this.hooks.onData?.(bytes, this);
  }

  onResponseEnd(trailers: readonly string[]): void {
    this.heard.push('end');
    this.#answer.resolve({ status: this.statuses.at(-1) ?? 0, body: this.body, trailers });
  }

  onResponseError(cause: unknown): void {
    this.heard.push('error');
    this.#answer.reject(cause);
  }
}
