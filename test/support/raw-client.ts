import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A client on a raw socket, for requests that no HTTP library would send. */
export class RawClient {
  /** Everything received, as latin1. */
  received = '';
  readonly closed: Promise<void>;

  private constructor(readonly socket: Socket) {
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (chunk) => (this.received += chunk.toString('latin1')));
    socket.on('error', () => socket.destroy());
  }

  /** @param localAddress which loopback address it seems to come from */
  static async connect(port: number, localAddress = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Sends the text as it stands, byte for byte, and gives all that came back until the gateway closed. */
  static async exchange(port: number, text: string, localAddress?: string): Promise<string> {
    const client = await RawClient.connect(port, localAddress);
    client.write(text);
    await client.closed;
    return client.received;
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Resolves once what was received contains the text; rejects when the connection ends before. */
  async until(text: string): Promise<string> {
    while (!this.received.includes(text)) {
      if (this.socket.closed) throw new Error(`Closed without ${text}; received: ${this.received}`);
      await Promise.race([once(this.socket, 'data'), this.closed]);
    }
    return this.received;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** The status of a raw response. */
export function statusOf(response: string): number {
  return Number(response.slice(9, 12));
}
