import {
  createServer,
  IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  assignRequestId,
  errorCode,
  internalError,
  ProxyError,
  requestIdOf,
  type Clock,
  type DomainError,
} from '#common';
import { answerError, answerOnBareSocket, refuseUpgrade } from './answer.js';
import type { ConnectionLimits } from './connection-limits.js';
import { bodyIsPending, hasSureEnd } from './framing.js';
import { lingerAfterResponse } from './lingering-close.js';
import { isStalled } from './stalled-writes.js';

/** What decides about a request before anything else sees it. */
export interface EdgeHandler {
  /** Takes the request and answers it (true), or leaves it to the application (false). */
  request(req: IncomingMessage, res: ServerResponse): boolean;
  /** Takes an upgrade; `websocket` is the only protocol that gets here. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends the long-lived connections; resolves when they are gone, at the latest after `deadlineMs`. */
  drain(deadlineMs: number): Promise<void>;
}

export interface EdgeServerOptions {
  readonly clock: Clock;
  readonly limits: ConnectionLimits;
  /** Told what the edge or the application threw; the client hears of an internal error only. */
  readonly onError: (cause: unknown, requestId: string) => void;
}

/** Node's parser counts fewer bytes than the wire has, so it gets room, and `screenRequest` draws the exact line. */
const PARSER_HEADER_LIMIT = 32 * 1024;
const IDLE_SWEEP_MS = 50;

const LATEST_RESPONSE = Symbol('sluice.latestResponse');
type EdgeSocket = Socket & { [LATEST_RESPONSE]?: ServerResponse };

/** An HTTP server that asks the edge first, and gives the application only what the edge leaves. */
export class EdgeServer {
  readonly server: Server;
  readonly #edge: () => EdgeHandler;
  readonly #app: RequestListener;
  readonly #options: EdgeServerOptions;
  #draining = false;

  /**
   * @param edge asked for at every request, since it comes to be after the server
   * @param app gets what the edge leaves
   */
  constructor(edge: () => EdgeHandler, app: RequestListener, options: EdgeServerOptions) {
    this.#edge = edge;
    this.#app = app;
    this.#options = options;
    this.server = createServer({
      maxHeaderSize: PARSER_HEADER_LIMIT,
      headersTimeout: options.limits.headersMs,
      connectionsCheckingInterval: options.limits.headersCheckMs,
      // It would bound every upload; the forwarder times idle bodies, and #limitBody those of the application.
      requestTimeout: 0,
      keepAliveTimeout: options.limits.keepAliveMs,
      // Answered by screenRequest, in the contract's form.
      requireHostHeader: false,
      shouldUpgradeCallback: isWebSocketUpgrade,
    });
    this.server.timeout = options.limits.downloadIdleMs;
    this.server
      .on('request', (req, res) => this.#onRequest(req, res, false))
      .on('checkContinue', (req, res) => this.#onRequest(req, res, true))
      .on('checkExpectation', (req, res) => this.#onRequest(req, res, false))
      .on('upgrade', (req, socket, head) => this.#onUpgrade(req, socket, head))
      .on('connect', (req, socket) => this.#onConnect(req, socket))
      .on('clientError', (error, socket) => this.#onClientError(error, socket))
      .on('timeout', onIdle);
  }

  /**
   * Stops accepting, lets requests in flight finish and drains the edge; what is left after `deadlineMs` is cut.
   */
  async close(deadlineMs: number): Promise<void> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    // A connection whose last answer went out just now is idle only from here on.
    const sweep = setInterval(() => this.server.closeIdleConnections(), IDLE_SWEEP_MS);
    const deadline = setTimeout(() => this.server.closeAllConnections(), deadlineMs);
    this.server.closeIdleConnections();
    await Promise.all([closed, this.#edge().drain(deadlineMs)]);
    clearInterval(sweep);
    clearTimeout(deadline);
  }

  /** One after the other: what is pipelined behind a POST must not overtake it (RFC 9112 §9.3.2). */
  #onRequest(req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean): void {
    const socket: EdgeSocket = req.socket;
    const earlier = socket[LATEST_RESPONSE];
    socket[LATEST_RESPONSE] = res;
    if (earlier === undefined || earlier.closed) this.#take(req, res, awaitsContinue);
    else earlier.once('close', () => this.#take(req, res, awaitsContinue));
  }

  #take(req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean): void {
    // What comes behind an answer that closes is not a request (RFC 9112 §9.6): it is how one gets smuggled in.
    if (!req.socket.writable) return;
    // After an upgrade that is ignored, Node loses the rest of the packet, and would take what comes in the next one
    // for the beginning of a request.
    const isLast = this.#draining || req.headers.upgrade !== undefined || !hasSureEnd(req);
    if (isLast) res.shouldKeepAlive = false;
    try {
      if (this.#edge().request(req, res)) return;
      if (bodyIsPending(req)) this.#limitBody(req, res);
      if (awaitsContinue) res.writeContinue();
      this.#app(req, res);
    } catch (cause) {
      answerError(req, res, this.#defect(req, cause), this.#options.clock.now());
    }
  }

  /** Also bounds what the application leaves unread: Node drops it without an end, once the answer is out. */
  #limitBody(req: IncomingMessage, res: ServerResponse): void {
    const timer = setTimeout(() => {
      const error = new ProxyError('REQUEST_TIMEOUT', 'The body of the request did not arrive in time.');
      answerError(req, res, error, this.#options.clock.now());
    }, this.#options.limits.ownBodyMs);
    req.once('close', () => clearTimeout(timer));
  }

  #onUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Node takes its own listener off; a reset before the next one is on would end the process.
    socket.on('error', () => socket.destroy());
    try {
      // Frames must not be written into an answer that is still going out to an earlier, pipelined request.
      if (isBusy(req.socket)) socket.destroy();
      else this.#edge().upgrade(req, socket, head);
    } catch (cause) {
      refuseUpgrade(req, socket, this.#defect(req, cause), this.#options.clock.now());
    }
  }

  #defect(req: IncomingMessage, cause: unknown): DomainError {
    this.#options.onError(cause, requestIdOf(req));
    return internalError(cause);
  }

  #onConnect(req: IncomingMessage, socket: Duplex): void {
    assignRequestId(req, false);
    refuseUpgrade(
      req,
      socket,
      new ProxyError('METHOD_NOT_IMPLEMENTED', 'CONNECT is not served here.'),
      this.#options.clock.now(),
    );
  }

  /** What Node's parser refuses, in the contract's form; the connection is of no use afterwards. */
  #onClientError(error: Error, socket: Duplex): void {
    if (!(socket instanceof Socket) || !socket.writable || errorCode(error) === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const latest = (socket as EdgeSocket)[LATEST_RESPONSE];
    if (latest?.writableFinished === true && !latest.req.complete) {
      // The rest of a body that broke after its answer: another answer would be taken for the next request's.
      lingerAfterResponse(latest.req);
      socket.destroySoon();
    } else if (latest === undefined || latest.writableFinished) {
      answerOnBareSocket(new IncomingMessage(socket), parserError(error), this.#options.clock.now());
    } else if (latest.socket === null || latest.headersSent) {
      // An earlier answer is going out, or this one is: another one in the middle of it would corrupt both.
      socket.destroy();
    } else {
      latest.shouldKeepAlive = false;
      answerError(latest.req, latest, parserError(error), this.#options.clock.now());
    }
  }
}

/**
 * Only `websocket`, and only in HTTP/1.1, is an upgrade; any other is ignored and the request served as it stands
 * (RFC 9110 §7.8). `h2c` above all: it would tunnel requests past every check here.
 */
function isWebSocketUpgrade(req: IncomingMessage): boolean {
  return req.httpVersion === '1.1' && req.headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Ends a connection on which nothing has moved for as long as `keepAliveTimeout` or `timeout` say. Not while its
 * client waits for an answer, or for more of one; and what is late with a header block is answered elsewhere.
 */
function onIdle(socket: EdgeSocket): void {
  const latest = socket[LATEST_RESPONSE];
  if (latest === undefined) return;
  if (latest.closed || isStalled(socket)) socket.destroy();
}

/** Whether an earlier answer is still going out, or was the connection's last. */
function isBusy(socket: EdgeSocket): boolean {
  const latest = socket[LATEST_RESPONSE];
  return !socket.writable || (latest !== undefined && !latest.closed);
}

function parserError(error: Error): ProxyError {
  switch (errorCode(error) ?? '') {
    case 'HPE_HEADER_OVERFLOW':
      return new ProxyError('HEADERS_TOO_LARGE', 'The header block is too large.', { cause: error });
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ProxyError('REQUEST_TIMEOUT', 'The header block did not arrive in time.', { cause: error });
    default:
      return new ProxyError('BAD_REQUEST', 'This is not a valid HTTP request.', { cause: error });
  }
}
