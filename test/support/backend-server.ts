import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { promisify } from 'node:util';
import { portOf } from './stub-upstream.js';

/** A server as it stands in a pool: it answers everything with one status, or not at all. */
export class BackendServer implements AsyncDisposable {
  /** `METHOD path` of each request. */
  readonly asked: string[] = [];

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** @param status null: it hangs */
  static async start(status: number | null = 200, port = 0): Promise<BackendServer> {
    const server = createServer((req, res) => {
      backend.asked.push(`${req.method} ${req.url}`);
      if (status !== null) res.writeHead(status).end();
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const backend = new BackendServer(server, portOf(server));
    return backend;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** How many connections are open to it. */
  connections(): Promise<number> {
    return promisify((done: (error: Error | null, count: number) => void) =>
      this.server.getConnections(done),
    )();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
