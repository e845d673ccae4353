import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProxyError, type Clock, type DomainError } from '#common';
import { UpstreamClient } from '../client/upstream-client.js';
import type { ResponseHeaders } from '../headers/response-headers.js';
import { answerError } from '../http/answer.js';
import type { UpstreamOutcome } from '../targets/target.js';
import { Exchange, type ExchangeHost } from './exchange.js';
import type { ForwardTarget, Lane } from './forward-target.js';
import { upstreamError } from './upstream-error.js';

/** How a forwarded request ended. */
export interface ForwardOutcome {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly target: ForwardTarget;
  /**
   * Null where the whole answer came from upstream; a slow client may still be taking it. `CLIENT_CLOSED_REQUEST`,
   * `REQUEST_TIMEOUT` and `BAD_REQUEST` are the client's doing and say nothing of the upstream's health.
   */
  readonly error: ProxyError | null;
}

export interface ForwarderOptions {
  readonly clock: Clock;
  readonly responseHeaders: ResponseHeaders;
  /** How long a client may stall its upload, in milliseconds. */
  readonly uploadIdleMs: number;
  /** Called when the head of the answer is there. */
  readonly onHead?: (req: IncomingMessage, target: ForwardTarget) => void;
  /** Called once per request, at its end. */
  readonly onDone?: (outcome: ForwardOutcome) => void;
}

const BUSY_RETRY_SECONDS = 1;

/**
 * Forwards HTTP requests, over connections that are kept per origin. Bodies stream both ways with back-pressure;
 * nothing is buffered. Nothing is sent twice but a request that never left, and a GET or HEAD without a body, which is
 * safe by its method.
 */
export class Forwarder {
  readonly #client = new UpstreamClient();
  readonly #inFlight = new Map<string, number>();
  readonly #options: ForwarderOptions;
  readonly #host: ExchangeHost;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#host = {
      responseHeaders: options.responseHeaders,
      uploadIdleMs: options.uploadIdleMs,
      refuse: ({ req, res }, error) => this.#answer(req, res, error),
      observed: ({ req, target }, outcome) => {
        report(target.lane, outcome);
        if (outcome === 'answered') options.onHead?.(req, target);
      },
      retry: (exchange, isStale) => this.#retry(exchange, isStale),
      settled: (exchange, error) => this.#settled(exchange, error),
    };
  }

  /**
   * Forwards a request and answers it, whatever happens.
   * @param headers what the upstream gets, from `RequestHeaders.forUpstream`
   */
  forward(req: IncomingMessage, res: ServerResponse, target: ForwardTarget, headers: string[]): void {
    const { key, max } = target.limit;
    const inFlight = this.#inFlight.get(key) ?? 0;
    if (inFlight >= max) {
      this.#refuseBusy(req, res, target);
      return;
    }
    const exchange = new Exchange(req, res, target, headers, this.#host);
    // Only now: what has been counted is given back by the exchange alone, when it settles.
    this.#inFlight.set(key, inFlight + 1);
    this.#dispatch(exchange, false);
  }

  /** How many requests are in flight under the key of a limit. */
  inFlight(key: string): number {
    return this.#inFlight.get(key) ?? 0;
  }

  /** The origins that there are connections to. */
  get origins(): string[] {
    return this.#client.origins;
  }

  /** Aborts what is in flight and closes all connections to upstreams. */
  async destroy(): Promise<void> {
    await this.#client.destroy();
  }

  #dispatch(exchange: Exchange, fresh: boolean): void {
    const { req, target, headers, body } = exchange;
    const { origin, path, timeoutMs } = target;
    try {
      this.#client.dispatch(
        origin,
        { method: req.method ?? 'GET', path, headers, body, timeoutMs, fresh },
        exchange,
      );
    } catch (cause) {
      exchange.fail(upstreamError(cause));
    }
  }

  /** @returns whether there is somebody to ask, who is asked then */
  #retry(exchange: Exchange, isStale: boolean): boolean {
    const next = anotherThan(exchange.target) ?? (isStale ? exchange.target : null);
    if (next === null) return false;
    exchange.redirect(next);
    this.#dispatch(exchange, true);
    return true;
  }

  #refuseBusy(req: IncomingMessage, res: ServerResponse, target: ForwardTarget): void {
    const error = new ProxyError(
      target.limit.code,
      'The application is serving as many requests as it may. Try again in a moment.',
      { retryAfterSeconds: BUSY_RETRY_SECONDS },
    );
    this.#answer(req, res, error);
    this.#options.onDone?.({ req, res, target, error });
  }

  #answer(req: IncomingMessage, res: ServerResponse, error: DomainError): void {
    answerError(req, res, error, this.#options.clock.now());
  }

  #settled({ req, res, target }: Exchange, error: ProxyError | null): void {
    const { key } = target.limit;
    const left = this.inFlight(key) - 1;
    if (left > 0) this.#inFlight.set(key, left);
    else this.#inFlight.delete(key);
    this.#options.onDone?.({ req, res, target, error });
  }
}

function anotherThan(target: ForwardTarget): ForwardTarget | null {
  const { lane } = target;
  const upstream = lane?.target.another(lane.upstream) ?? null;
  if (lane === null || upstream === null) return null;
  const path = upstream.basePath + lane.path;
  return { ...target, origin: upstream.origin, path, lane: { ...lane, upstream } };
}

function report(lane: Lane | null, outcome: UpstreamOutcome): void {
  lane?.target.report(lane.upstream, outcome);
}
