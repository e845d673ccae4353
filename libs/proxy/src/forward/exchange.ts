import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { ProxyError, requestIdOf, type DomainError } from '#common';
import { addRenewedCookie } from '../headers/renewed-cookie.js';
import { trailersForClient, type ResponseFacts, type ResponseHeaders } from '../headers/response-headers.js';
import { closeIfBodyIsPending } from '../http/answer.js';
import { hasBody, isExactlyChunked } from '../http/framing.js';
import { RequestBody } from './request-body.js';
import { upstreamError } from './upstream-error.js';

/** Largest body that is joined to its headers, in bytes. Strings up to 16 KB Node writes without a copy on the heap. */
const SMALL_BODY = 8 * 1024;

/** How many interim responses (1xx) one request may get: Node buffers them without back-pressure. */
const MAX_INTERIM_RESPONSES = 16;

const EXCHANGE = Symbol('sluice.exchange');
type ExchangeResponse = ServerResponse & { [EXCHANGE]?: Pick<Exchange, 'abandon' | 'resume'> };

/** What an exchange needs to know of where it goes. */
export interface ExchangeTarget {
  /** From the end of the request to the first byte of the answer, in milliseconds. */
  readonly timeoutMs: number;
}

/** What an exchange needs from the forwarder that runs it. */
export interface ExchangeHost<Target extends ExchangeTarget = ExchangeTarget> {
  readonly responseHeaders: ResponseHeaders;
  /** How long a client may stall its upload, in milliseconds. */
  readonly uploadIdleMs: number;
  /** Writes the error to the client, or cuts an answer that has begun. */
  refuse(exchange: Exchange<Target>, error: DomainError): void;
  /** Called exactly once; `error` is null where the whole answer went out. */
  settled(exchange: Exchange<Target>, error: ProxyError | null): void;
}

/**
 * One request on its way to an upstream and its answer on its way back: undici's handler and the state of both ends.
 * Listeners are static functions that find their exchange on the response, so a request creates none of its own.
 */
export class Exchange<Target extends ExchangeTarget = ExchangeTarget> implements Dispatcher.DispatchHandler {
  readonly body: RequestBody | null;
  #controller: Dispatcher.DispatchController | null = null;
  #awaitsDrain = false;
  #trailers = false;
  /** NaN where the upstream did not say. */
  #contentLength = Number.NaN;
  #settled = false;
  #interimResponses = 0;
  /** Runs from the first interim response to the final one; undici starts its own anew at each. */
  #finalHeadTimer: NodeJS.Timeout | null = null;

  constructor(
    readonly req: IncomingMessage,
    readonly res: ServerResponse,
    readonly target: Target,
    readonly host: ExchangeHost<Target>,
  ) {
    (res as ExchangeResponse)[EXCHANGE] = this;
    res.on('close', onClientClose);
    this.body = hasBody(req) ? new RequestBody(req, host.uploadIdleMs, () => this.#uploadStalled()) : null;
  }

  /** The connection stands and the request is about to be sent: only now is a waiting client asked for its body. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settled) controller.abort(new Error('The client is gone'));
    else if (this.req.headers.expect !== undefined && this.req.httpVersion === '1.1')
      this.res.writeContinue();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) {
      this.#inform(status, headers);
      return;
    }
    this.#clearFinalHeadTimer();
    const transferEncoding = headers['transfer-encoding'];
    // undici reads any other coding until the connection closes, and would pass it on as a plain 200.
    if (transferEncoding !== undefined && !isExactlyChunked(transferEncoding)) {
      controller.abort(new Error(`Transfer-Encoding of the response: ${transferEncoding}`));
      return;
    }
    this.#trailers =
      transferEncoding !== undefined && this.req.httpVersion === '1.1' && this.req.method !== 'HEAD';
    this.#contentLength = Number(headers['content-length']);
    closeIfBodyIsPending(this.req, this.res);
    // Without the upstream's reason phrase: it is free text, and one byte of it above 0x7f makes writeHead throw.
    // What writeHead throws for anything else, undici turns into onResponseError.
    const lines = this.host.responseHeaders.forClient(headers, this.#facts(status));
    addRenewedCookie(lines, this.req);
    // Set beforehand for a cross-origin request: beside the upstream's own Vary, not instead of it.
    if (this.res.hasHeader('vary')) lines.push('vary', 'Origin');
    this.res.writeHead(status, lines);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (chunk.length === this.#contentLength && chunk.length <= SMALL_BODY) {
      // The whole body at once, which is the usual answer of an API. As a string (latin1 is byte for byte) Node joins
      // it to the headers; as a buffer the kernel would be handed three pieces to gather.
      this.res.end(chunk.toString('latin1'), 'latin1');
      return;
    }
    if (this.res.write(chunk)) return;
    controller.pause();
    if (this.#awaitsDrain) return;
    this.#awaitsDrain = true;
    this.res.on('drain', onClientDrain);
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    if (this.#trailers && this.res.chunkedEncoding) this.res.addTrailers(trailersForClient(trailers));
    if (!this.res.writableEnded) this.res.end();
    this.#settle(null);
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    this.fail(upstreamError(cause));
  }

  /** Ends the exchange by an error: the client is answered, or its answer cut, and the upstream request aborted. */
  fail(error: ProxyError): void {
    if (this.#settled) return;
    this.#settle(error);
    this.host.refuse(this, error);
    this.#controller?.abort(error);
  }

  /** Goes on reading from the upstream once the client has taken what was written. */
  resume(): void {
    this.#controller?.resume();
  }

  /**
   * The response is closed. If the exchange still runs, the client went away, or its upload broke HTTP and was
   * answered by the server: nobody's failure upstream, and nothing to answer any more.
   */
  abandon(): void {
    if (this.#settled) return;
    const error = new ProxyError('CLIENT_CLOSED_REQUEST', 'The client closed the connection.');
    this.#settle(error);
    this.#controller?.abort(error);
  }

  #inform(status: number, headers: IncomingHttpHeaders): void {
    if (++this.#interimResponses > MAX_INTERIM_RESPONSES) {
      this.fail(new ProxyError('BAD_GATEWAY', 'The application sent too many interim responses.'));
      return;
    }
    this.#finalHeadTimer ??= setTimeout(() => this.#finalHeadIsDue(), this.target.timeoutMs);
    if (this.req.httpVersion === '1.0' || this.res.headersSent) return;
    this.res.writeInformation(status, this.host.responseHeaders.forInterim(headers, this.#facts(status)));
  }

  #finalHeadIsDue(): void {
    // The time counts from the end of the request; of an upload that stalls others take care.
    if (this.body?.readableEnded === false) this.#finalHeadTimer?.refresh();
    else this.fail(new ProxyError('GATEWAY_TIMEOUT', 'The application did not answer in time.'));
  }

  #clearFinalHeadTimer(): void {
    if (this.#finalHeadTimer !== null) clearTimeout(this.#finalHeadTimer);
  }

  #facts(status: number): ResponseFacts {
    return { status, trailers: this.#trailers, requestId: requestIdOf(this.req) };
  }

  #uploadStalled(): void {
    this.fail(new ProxyError('REQUEST_TIMEOUT', 'The body of the request stopped arriving.'));
  }

  #settle(error: ProxyError | null): void {
    this.#settled = true;
    this.#clearFinalHeadTimer();
    this.body?.destroy();
    this.host.settled(this, error);
  }
}

function onClientClose(this: ExchangeResponse): void {
  this[EXCHANGE]?.abandon();
}

function onClientDrain(this: ExchangeResponse): void {
  this[EXCHANGE]?.resume();
}
