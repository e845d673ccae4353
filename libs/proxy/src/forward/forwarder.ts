import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent } from 'undici';
import { ProxyError, type Clock, type DomainError } from '#common';
import type { ResponseHeaders } from '../headers/response-headers.js';
import { answerError } from '../http/answer.js';
import { Exchange, type ExchangeHost, type ExchangeTarget } from './exchange.js';
import { upstreamError } from './upstream-error.js';

/** Where a request goes. */
export interface ForwardTarget extends ExchangeTarget {
  /** `http://host:port`, without a path. */
  readonly origin: string;
  /** Path and query as the upstream gets them; starts with `/`. */
  readonly path: string;
}

/** How a forwarded request ended. */
export interface ForwardOutcome {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly target: ForwardTarget;
  /**
   * Null where the whole answer went out. `CLIENT_CLOSED_REQUEST`, `REQUEST_TIMEOUT` and `BAD_REQUEST` are the
   * client's doing and say nothing of the upstream's health.
   */
  readonly error: ProxyError | null;
}

export interface ForwarderOptions {
  readonly clock: Clock;
  readonly responseHeaders: ResponseHeaders;
  /** Requests in flight to one origin; more are refused by SLICE_BUSY, so that one slow slice can't hold them all. */
  readonly maxInFlightPerOrigin: number;
  /** How long a client may stall its upload, in milliseconds. */
  readonly uploadIdleMs: number;
  /** Called once per request, at its end. */
  readonly onDone?: (outcome: ForwardOutcome) => void;
}

const CONNECT_TIMEOUT_MS = 10_000;
const BUSY_RETRY_SECONDS = 1;

/**
 * Forwards HTTP requests over undici's `dispatch`, with keep-alive connections per origin. Bodies stream both ways
 * with back-pressure; nothing is buffered, and nothing is replayed.
 */
export class Forwarder {
  readonly #agent = new Agent({
    allowH2: false,
    // An idle event stream is in order; only the head of the answer has a deadline.
    bodyTimeout: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    pipelining: 1,
  });
  readonly #inFlight = new Map<string, number>();
  readonly #options: ForwarderOptions;
  readonly #host: ExchangeHost<ForwardTarget>;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#host = {
      responseHeaders: options.responseHeaders,
      uploadIdleMs: options.uploadIdleMs,
      refuse: ({ req, res }, error) => this.#answer(req, res, error),
      settled: (exchange, error) => this.#settled(exchange, error),
    };
  }

  /**
   * Forwards a request and answers it, whatever happens.
   * @param headers what the upstream gets, from `RequestHeaders.forUpstream`
   */
  forward(req: IncomingMessage, res: ServerResponse, target: ForwardTarget, headers: string[]): void {
    const inFlight = this.#inFlight.get(target.origin) ?? 0;
    if (inFlight >= this.#options.maxInFlightPerOrigin) {
      this.#refuseBusy(req, res, target);
      return;
    }
    const exchange = new Exchange(req, res, target, this.#host);
    // Only now: what has been counted is given back by the exchange alone, when it settles.
    this.#inFlight.set(target.origin, inFlight + 1);
    try {
      this.#dispatch(exchange, headers);
    } catch (cause) {
      exchange.fail(upstreamError(cause));
    }
  }

  /** How many requests are in flight to an origin. */
  inFlight(origin: string): number {
    return this.#inFlight.get(origin) ?? 0;
  }

  /** Aborts what is in flight and closes all connections to upstreams. */
  async destroy(): Promise<void> {
    await this.#agent.destroy();
  }

  #dispatch(exchange: Exchange<ForwardTarget>, headers: string[]): void {
    const { req, target, body } = exchange;
    this.#agent.dispatch(
      {
        origin: target.origin,
        path: target.path,
        method: req.method ?? 'GET',
        headers,
        body,
        headersTimeout: target.timeoutMs,
      },
      exchange,
    );
  }

  #refuseBusy(req: IncomingMessage, res: ServerResponse, target: ForwardTarget): void {
    const error = new ProxyError('SLICE_BUSY', 'The application is serving as many requests as it may.', {
      retryAfterSeconds: BUSY_RETRY_SECONDS,
    });
    this.#answer(req, res, error);
    this.#options.onDone?.({ req, res, target, error });
  }

  #answer(req: IncomingMessage, res: ServerResponse, error: DomainError): void {
    answerError(req, res, error, this.#options.clock.now());
  }

  #settled({ req, res, target }: Exchange<ForwardTarget>, error: ProxyError | null): void {
    const left = this.inFlight(target.origin) - 1;
    if (left > 0) this.#inFlight.set(target.origin, left);
    else this.#inFlight.delete(target.origin);
    this.#options.onDone?.({ req, res, target, error });
  }
}
