import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { text } from 'node:stream/consumers';
import { portOf } from './stub-upstream.js';

/** One request as it came. */
export interface ReceivedNotice {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** As it was signed. */
  readonly text: string;
  readonly body: {
    readonly title: string;
    readonly body: string;
    readonly type: string;
    readonly id?: string;
  };
}

/** Takes notices as an Apprise API or a webhook does, and records them. */
export class NoticeReceiver implements AsyncDisposable {
  readonly received: ReceivedNotice[] = [];
  /** What it answers. */
  status = 200;
  /** Called with each notice before it is answered. */
  onNotice: (notice: ReceivedNotice) => void | Promise<void> = () => undefined;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<NoticeReceiver> {
    const server = createServer((req, res) => {
      void receiver.take(req, res);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new NoticeReceiver(server);
    return receiver;
  }

  get port(): number {
    return portOf(this.server);
  }

  get titles(): string[] {
    return this.received.map(({ body }) => body.title);
  }

  private async take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await text(req);
    const notice = { path: req.url ?? '', headers: req.headers, text: body, body: JSON.parse(body) };
    if (this.status < 300) this.received.push(notice);
    await this.onNotice(notice);
    res.writeHead(this.status).end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
