import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorCode, ProxyError, requestIdOf, type DomainError } from '#common';
import type { ResponseHead } from '../client/response-head.js';
import type { ExchangeControl, UpstreamHandler } from '../client/upstream-request.js';
import { addRenewedCookie } from '../headers/renewed-cookie.js';
import { yieldToCorsOf } from '../headers/upstream-cors.js';
import { trailersForClient, type ResponseFacts, type ResponseHeaders } from '../headers/response-headers.js';
import { closeIfBodyIsPending } from '../http/answer.js';
import { hasBody } from '../http/framing.js';
import type { UpstreamOutcome } from '../targets/target.js';
import { type BodyEncoder, encoderFor } from './compression.js';
import type { ForwardTarget } from './forward-target.js';
import { RequestBody } from './request-body.js';
import { upstreamError } from './upstream-error.js';

/** Largest body that is joined to its headers, in bytes. Strings up to 16 KB Node writes without a copy on the heap. */
const SMALL_BODY = 8 * 1024;

/** How many interim responses (1xx) one request may get: Node buffers them without back-pressure. */
const MAX_INTERIM_RESPONSES = 16;

const EXCHANGE = Symbol('sluice.exchange');
type ExchangeResponse = ServerResponse & { [EXCHANGE]?: Pick<Exchange, 'abandon' | 'resume'> };

/** What an exchange needs from the forwarder that runs it. */
export interface ExchangeHost {
  readonly responseHeaders: ResponseHeaders;
  /** How long a client may stall its upload, in milliseconds. */
  readonly uploadIdleMs: number;
  /** Writes the error to the client, or cuts an answer that has begun. */
  refuse(exchange: Exchange, error: DomainError): void;
  /** Called once for each upstream that was asked, unless the client's doing ended that. */
  observed(exchange: Exchange, outcome: UpstreamOutcome): void;
  /**
   * Asks another upstream, if there is one; only where that can't have the effects of the request twice.
   * @param isStale whether the same one may be asked, too: the connection had been idle, and was closed meanwhile
   */
  retry(exchange: Exchange, isStale: boolean): boolean;
  /** Called exactly once; `error` is null where the upstream's answer came to its end: the client may still be taking it. */
  settled(exchange: Exchange, error: ProxyError | null): void;
}

/**
 * One request on its way to an upstream and its answer on its way back: the client's handler and the state of both ends.
 * Listeners are static functions that find their exchange on the response, so a request creates none of its own.
 */
export class Exchange implements UpstreamHandler {
  #target: ForwardTarget;
  #body: RequestBody | null;
  /** Whether the request is on its way, whole or in part. */
  #sent = false;
  #answered = false;
  #retried = false;
  #encoder: BodyEncoder | null = null;
  #control: ExchangeControl | null = null;
  #awaitsDrain = false;
  /** Where what was read was copied to last. */
  #memory: Buffer | null = null;
  #trailers = false;
  /** NaN where the upstream did not say. */
  #contentLength = Number.NaN;
  #settled = false;
  #interimResponses = 0;

  constructor(
    readonly req: IncomingMessage,
    readonly res: ServerResponse,
    target: ForwardTarget,
    /** What the upstream gets: name, value, name, value … */
    readonly headers: string[],
    readonly host: ExchangeHost,
  ) {
    (res as ExchangeResponse)[EXCHANGE] = this;
    res.on('close', onClientClose);
    this.#target = target;
    this.#body = hasBody(req) ? this.#openBody() : null;
  }

  get target(): ForwardTarget {
    return this.#target;
  }

  get body(): RequestBody | null {
    return this.#body;
  }

  /** Starts over with another upstream, or by another connection, to be dispatched once more. */
  redirect(target: ForwardTarget): void {
    this.#target = target;
    this.#retried = true;
    this.#sent = false;
    this.#control = null;
    this.#interimResponses = 0;
    const { lane } = target;
    if (lane?.hostOfUpstream === true) replaceHost(this.headers, lane.upstream.authority);
    if (this.#body === null) return;
    this.#body.handOver();
    this.#body = this.#openBody();
  }

  /** The connection stands and the request is about to be sent: only now is a waiting client asked for its body. */
  onRequestStart(control: ExchangeControl): void {
    if (this.#settled) {
      control.abort(this);
      return;
    }
    this.#control = control;
    this.#sent = true;
    if (this.req.headers.expect !== undefined && this.req.httpVersion === '1.1') this.res.writeContinue();
  }

  onResponseStart(head: ResponseHead): void {
    const { status } = head;
    if (status < 200) {
      this.#inform(head);
      return;
    }
    this.#answered = true;
    this.host.observed(this, 'answered');
    this.#trailers = head.chunked && this.req.httpVersion === '1.1' && this.req.method !== 'HEAD';
    this.#contentLength = head.contentLength;
    closeIfBodyIsPending(this.req, this.res);
    // Without the upstream's reason phrase: it is free text, and one byte of it above 0x7f makes writeHead throw.
    // What writeHead throws for anything else is heard of by onResponseError.
    const lines = this.host.responseHeaders.forClient(head.lines, this.#facts(status));
    addRenewedCookie(lines, this.req);
    // Set beforehand for a cross-origin request: beside the upstream's own Vary, not instead of it.
    if (this.res.hasHeader('vary')) {
      yieldToCorsOf(lines, this.res);
      lines.push('vary', 'Origin');
    }
    if (this.#target.compress) {
      this.#encoder = encoderFor(this.req, this.res, status, head.lines, lines);
      this.#encoder?.onDrain(() => this.resume());
    }
    this.res.writeHead(status, lines);
  }

  onResponseData(bytes: Buffer): void {
    if (bytes.length === this.#contentLength && bytes.length <= SMALL_BODY && this.#encoder === null) {
      // The whole body at once, which is the usual answer of an API. As a string (latin1 is byte for byte) Node joins
      // it to the headers; as a buffer the kernel would be handed three pieces to gather.
      this.res.end(bytes.toString('latin1'), 'latin1');
      return;
    }
    // Written later, perhaps, and the next read takes its memory.
    if (this.#encoder !== null) {
      if (!this.#encoder.write(Buffer.from(bytes))) this.#control?.pause(this);
    } else if (!this.res.write(this.#copyOf(bytes))) {
      this.#control?.pause(this);
      if (!this.#awaitsDrain) this.res.on('drain', onClientDrain);
      this.#awaitsDrain = true;
    }
  }

  /** Into the memory of the copy before, once the kernel has all of that: a large body leaves no garbage then. */
  #copyOf(bytes: Buffer): Buffer {
    if (this.#memory === null || this.#memory.length < bytes.length || this.res.writableLength > 0)
      this.#memory = Buffer.allocUnsafeSlow(bytes.length);
    bytes.copy(this.#memory);
    return this.#memory.subarray(0, bytes.length);
  }

  onResponseEnd(trailers: readonly string[]): void {
    if (this.#trailers && this.res.chunkedEncoding) this.res.addTrailers(trailersForClient(trailers));
    if (this.#encoder !== null) this.#encoder.end();
    else if (!this.res.writableEnded) this.res.end();
    this.#settle(null);
  }

  onResponseError(cause: unknown): void {
    if (this.#settled) return;
    const error = upstreamError(cause);
    const outcome = this.#outcomeOf(error);
    const isStale = errorCode(cause) === 'UPSTREAM_STALE';
    // That both ends close an idle connection at the same moment says nothing of the upstream.
    if (outcome !== null && !isStale) this.host.observed(this, outcome);
    if (outcome !== null && this.#mayRetry(outcome) && this.host.retry(this, isStale)) return;
    this.fail(error);
  }

  /** Ends the exchange by an error: the client is answered, or its answer cut, and the upstream request aborted. */
  fail(error: ProxyError): void {
    if (this.#settled) return;
    this.#settle(error);
    this.#encoder?.destroy();
    this.host.refuse(this, error);
    this.#control?.abort(this);
  }

  /** Goes on reading from the upstream once the client has taken what was written. */
  resume(): void {
    this.#control?.resume(this);
  }

  /**
   * The response is closed. If the exchange still runs, the client went away, or its upload broke HTTP and was
   * answered by the server: nobody's failure upstream, and nothing to answer any more.
   */
  abandon(): void {
    if (this.#settled) return;
    const error = new ProxyError('CLIENT_CLOSED_REQUEST', 'The client closed the connection.');
    this.#settle(error);
    this.#encoder?.destroy();
    this.#control?.abort(this);
  }

  #openBody(): RequestBody {
    return new RequestBody(this.req, this.host.uploadIdleMs, () => this.#uploadStalled());
  }

  /** What a failure says of the upstream; null where it says nothing, or nothing more than its answer did. */
  #outcomeOf({ code }: ProxyError): UpstreamOutcome | null {
    if (this.#answered || code === 'BAD_REQUEST') return null;
    if (!this.#sent) return 'unreachable';
    return code === 'GATEWAY_TIMEOUT' ? 'timed-out' : 'broken';
  }

  /** Once, and only what never left, or what is safe by its method and whole without a body (RFC 9110 §9.2.2). */
  #mayRetry(outcome: UpstreamOutcome): boolean {
    if (this.#retried || this.res.headersSent || this.res.closed) return false;
    if (outcome === 'unreachable') return this.#body === null || this.#body.untouched;
    const { method } = this.req;
    return outcome === 'broken' && this.#body === null && (method === 'GET' || method === 'HEAD');
  }

  #inform({ status, lines }: ResponseHead): void {
    if (++this.#interimResponses > MAX_INTERIM_RESPONSES) {
      this.fail(new ProxyError('BAD_GATEWAY', 'The application sent too many interim responses.'));
      return;
    }
    // The gateway never asks for a 100, and a client that did has had it (RFC 9110 §15.2.1).
    if (status === 100 || this.req.httpVersion === '1.0' || this.res.headersSent) return;
    this.res.writeInformation(status, this.host.responseHeaders.forInterim(lines, this.#facts(status)));
  }

  #facts(status: number): ResponseFacts {
    return { status, trailers: this.#trailers, requestId: requestIdOf(this.req) };
  }

  #uploadStalled(): void {
    this.fail(new ProxyError('REQUEST_TIMEOUT', 'The body of the request stopped arriving.'));
  }

  #settle(error: ProxyError | null): void {
    this.#settled = true;
    this.#body?.destroy();
    this.host.settled(this, error);
  }
}

function onClientClose(this: ExchangeResponse): void {
  this[EXCHANGE]?.abandon();
}

function onClientDrain(this: ExchangeResponse): void {
  this[EXCHANGE]?.resume();
}

/** @param lines name, value, name, value …, with one `host` among them */
function replaceHost(lines: string[], authority: string): void {
  const at = lines.findIndex((line, i) => i % 2 === 0 && line.toLowerCase() === 'host');
  if (at !== -1) lines[at + 1] = authority;
}
