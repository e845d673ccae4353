import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { checkoutRoutes } from './checkout.js';
import { customerRoutes } from './customers.js';
import { type Reply, Replays } from './idempotency.js';
import { checkMetadata, checkParams, checkValues, invalid, paramsOf, StripeFault } from './params.js';
import { paymentRoutes } from './payments.js';
import type { Route } from './routes.js';
import { API_VERSION, type StripeWorld } from './world.js';

export const STRIPE_KEY = 'sk_test_of_the_stand_in';
const LONG_MS = 30_000;
const BROKEN: Reply = {
  status: 500,
  body: { error: { type: 'api_error', message: 'An unknown error occurred' } },
};

/** How it answers: as Stripe should, or as it does on a bad day. */
export type Weather =
  'fine' | 'down' | 'slow' | 'dripping' | 'limiting' | 'failing' | 'unreachable' | 'garbled';

/** Awaited before an answer is worked out, and again before it goes out: where a test lets one request overtake another. */
export type Gate = (request: string, moment: 'before' | 'after') => Promise<void> | void;

interface Answer extends Reply {
  readonly replayed?: boolean;
}

/** The HTTP of it: keys, versions, parameters, and bad days. */
export class StripeServer implements AsyncDisposable {
  weather: Weather = 'fine';
  gate: Gate = () => undefined;
  /** The next request of that name (`METHOD /path`) ends in a 500, before or after it did what it is for. */
  readonly breaks = new Map<string, 'before' | 'after'>();
  /** Requests of these names (`METHOD /path`) are done, but a proxy in front has given up waiting. */
  readonly answersLost = new Set<string>();
  /** What the key may not do, by the same names: a restricted key that was given too little. */
  readonly forbidden = new Set<string>();
  /** `METHOD /path` of every request, in order. */
  readonly requests: string[] = [];
  private readonly routes: readonly Route[];
  private readonly replays: Replays;
  private readonly server: Server;

  constructor(private readonly world: StripeWorld) {
    this.routes = [...customerRoutes(world), ...paymentRoutes(world), ...checkoutRoutes(world)];
    this.replays = new Replays(world.nowMs);
    this.server = createServer((req, res) => void this.serve(req, res));
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', 'http://stripe');
    const name = `${req.method} ${url.pathname}`;
    const body = await bodyOf(req);
    this.requests.push(name);
    if (this.weather !== 'fine') {
      this.storm(this.weather, res);
      return;
    }
    await this.gate(name, 'before');
    const answer = await this.answerTo(req, url, body).catch((error: unknown): Answer => {
      if (!(error instanceof StripeFault)) throw error;
      return { status: error.status, body: { error: error.body } };
    });
    await this.gate(name, 'after');
    if (this.answersLost.has(name)) {
      badGateway(res);
      return;
    }
    res.writeHead(answer.status, {
      'content-type': 'application/json',
      'request-id': this.world.nextId('req'),
      ...(answer.replayed === true ? { 'idempotent-replayed': 'true' } : {}),
      // Of a failure that it has kept it says that asking again is of no use.
      ...(answer.status >= 500 ? { 'stripe-should-retry': 'false' } : {}),
    });
    res.end(JSON.stringify(answer.body));
  }

  private storm(weather: Exclude<Weather, 'fine'>, res: ServerResponse): void {
    const fault = (status: number, type: string): void => {
      res.writeHead(status, { 'content-type': 'application/json' });
      res.end(JSON.stringify({ error: { type, message: `the weather is ${weather}` } }));
    };
    if (weather === 'down') res.destroy();
    else if (weather === 'unreachable') badGateway(res);
    else if (weather === 'garbled') res.writeHead(502, { 'content-type': 'application/json' }).end('{}');
    else if (weather === 'limiting') fault(429, 'invalid_request_error');
    else if (weather === 'failing') fault(500, 'api_error');
    else if (weather === 'slow') setTimeout(() => fault(500, 'api_error'), LONG_MS).unref();
    else {
      res.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => res.write(' '), 200).unref();
      res.once('close', () => clearInterval(drip));
    }
  }

  private async answerTo(req: IncomingMessage, url: URL, body: string): Promise<Answer> {
    if (req.headers.authorization !== `Bearer ${STRIPE_KEY}`)
      throw new StripeFault(401, { type: 'invalid_request_error', message: 'Invalid API Key provided' });
    if (this.forbidden.has(`${req.method} ${url.pathname}`))
      throw new StripeFault(403, {
        type: 'invalid_request_error',
        message: 'The provided key does not have the required permissions for this endpoint',
      });
    if (req.headers['stripe-version'] !== API_VERSION) throw invalid('Invalid Stripe API version');
    const route = this.routes.find(({ method, path }) => method === req.method && path.test(url.pathname));
    if (route === undefined)
      throw new StripeFault(404, {
        type: 'invalid_request_error',
        message: `Unrecognized request URL (${req.method}: ${url.pathname})`,
      });
    const flat = new URLSearchParams(req.method === 'GET' ? url.search : body);
    checkParams(flat, route.allowed);
    checkValues(flat, route.values ?? []);
    checkMetadata(flat);
    const id = route.path.exec(url.pathname)?.[1] ?? '';
    const work = async (): Promise<Reply> =>
      this.reply(`${req.method} ${url.pathname}`, () => route.answer(paramsOf(flat), id));
    const key = req.headers['idempotency-key'];
    if (req.method !== 'POST' || typeof key !== 'string') return work();
    const fingerprint = `${url.pathname}?${[...flat].map(String).toSorted().join('&')}`;
    const { reply, replayed } = await this.replays.once(key, fingerprint, work);
    return { ...reply, replayed };
  }

  private reply(name: string, work: () => object): Reply {
    const broken = this.breaks.get(name);
    this.breaks.delete(name);
    if (broken === 'before') return BROKEN;
    const body = work();
    return broken === 'after' ? BROKEN : { status: 200, body };
  }
}

/** What a proxy or a content network says when it can't reach Stripe. */
function badGateway(res: ServerResponse): void {
  res.writeHead(502, { 'content-type': 'text/html' });
  res.end('<html><body><h1>502 Bad Gateway</h1></body></html>');
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of req.setEncoding('utf8')) body += String(chunk);
  return body;
}
