import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
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
      void text(req).then(async (body) => {
        const notice = { path: req.url ?? '', headers: req.headers, text: body, body: JSON.parse(body) };
        if (receiver.status < 300) receiver.received.push(notice);
        await receiver.onNotice(notice);
        res.writeHead(receiver.status).end();
      });
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
