import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { portOf } from './stub-upstream.js';

/** How an app answers its health check. */
export type Mood = 'well' | 'unwell' | 'slow' | 'hung';

const SLOW_MS = 20;

/** The apps of many slices: one server, which each slice has under an address of its own (127.0.0.0/8 is all loopback). */
export class SliceApps implements AsyncDisposable {
  /** By number, as in {@link hostOf}; `well` where nothing is said. */
  readonly moods = new Map<number, Mood>();
  private readonly waiting = new Set<ServerResponse>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<SliceApps> {
    const server = createServer((req, res) => {
      const [, , high = 0, low = 0] = (req.socket.localAddress ?? '').split('.').map(Number);
      apps.answer(apps.moods.get(high * 256 + low) ?? 'well', res);
    });
    server.listen(0, '0.0.0.0');
    await once(server, 'listening');
    const apps = new SliceApps(server);
    return apps;
  }

  get port(): number {
    return portOf(this.server);
  }

  /** How many checks it does not answer just now. */
  get pending(): number {
    return this.waiting.size;
  }

  hostOf(number: number): string {
    return `127.1.${Math.floor(number / 256)}.${number % 256}`;
  }

  /** Answers all that wait. */
  release(): void {
    for (const res of this.waiting) res.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private answer(mood: Mood, res: ServerResponse): void {
    if (mood === 'slow') setTimeout(() => res.end(), SLOW_MS);
    else if (mood === 'hung') {
      this.waiting.add(res);
      res.on('close', () => this.waiting.delete(res));
    } else res.writeHead(mood === 'well' ? 200 : 500).end();
  }
}
