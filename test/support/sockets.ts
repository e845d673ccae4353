import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';

type Headers = Record<string, string>;

/** Opens a WebSocket; rejects when the upgrade is refused. */
export async function openSocket(url: string, headers: Headers = {}): Promise<WebSocket> {
  const socket = new WebSocket(toWs(url), { headers, perMessageDeflate: false });
  await once(socket, 'open');
  // A connection that is cut says so by its close as well.
  socket.on('error', () => undefined);
  return socket;
}

/** The HTTP answer to an upgrade that is refused. */
export async function refusedUpgrade(url: string, headers: Headers = {}): Promise<Refusal> {
  const socket = new WebSocket(toWs(url), { headers });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    socket.on('unexpected-response', (_request, response) => resolve(response));
    socket.on('open', () => reject(new Error('The upgrade was accepted')));
    socket.on('error', reject);
  });
  const chunks = await answer.toArray();
  const text = Buffer.concat(chunks).toString();
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: JSON.parse(text) };
}

export interface Refusal {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

/** The code that a WebSocket is closed with; 1006 where it was cut. */
export async function closeCode(socket: WebSocket): Promise<number> {
  if (socket.readyState === WebSocket.CLOSED) throw new Error('The WebSocket is closed already');
  const [code] = await once(socket, 'close');
  return code;
}

/** Sends a message and gives the next one that comes. */
export async function echo(socket: WebSocket, text: string): Promise<string> {
  const next = nextText(socket);
  socket.send(text);
  return next;
}

/** The next text message. */
export function nextText(socket: WebSocket): Promise<string> {
  return new Promise((resolve) => socket.once('message', (data: Buffer) => resolve(data.toString('utf8'))));
}

function toWs(url: string): string {
  return url.replace(/^http/, 'ws');
}
