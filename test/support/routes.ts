import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import { EchoApp, type Seen } from './echo.js';

/** An answer to a request with whatever headers it takes, `Host` included, which fetch does not let one set. */
export interface RoutedAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Parsed where it is JSON. */
  readonly json: any;
  /** What the echo app saw, where it was one that answered. */
  readonly seen: Seen;
}

export interface RoutedRequest {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** Sends one request to a gateway on loopback, on a connection of its own. */
export async function send(
  gatewayUrl: string,
  path: string,
  { method = 'GET', headers = {}, body }: RoutedRequest = {},
): Promise<RoutedAnswer> {
  const { hostname, port } = new URL(gatewayUrl);
  const sent = request({ hostname, port, path, method, headers, agent: false }).end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const received = await text(answer);
  const isJson = answer.headers['content-type']?.includes('json') === true && received !== '';
  const json = isJson ? JSON.parse(received) : null;
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: received, json, seen: json };
}

/** Echo apps by the names they call themselves, with their URLs. */
export class EchoApps implements AsyncDisposable {
  private constructor(private readonly apps: ReadonlyMap<string, EchoApp>) {}

  static async start(...names: string[]): Promise<EchoApps> {
    const apps = await Promise.all(names.map((name) => EchoApp.start(name)));
    return new EchoApps(new Map(names.map((name, i) => [name, apps[i]!])));
  }

  url(name: string): string {
    return `http://127.0.0.1:${this.portOf(name)}`;
  }

  portOf(name: string): number {
    const app = this.apps.get(name);
    if (app === undefined) throw new Error(`There is no echo app ${name}`);
    return app.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.apps.values()].map((app) => app[Symbol.asyncDispose]()));
  }
}
