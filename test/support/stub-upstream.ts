import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** Talks to one connection of the gateway, byte by byte if it must. */
export type Script = (connection: StubConnection) => void | Promise<void>;

/** One connection that the gateway opened to the stub. */
export class StubConnection {
  /** Everything received on it, as latin1. */
  received = '';
  readonly closed: Promise<void>;
  /** Up to where {@link nextHead} has read. */
  #read = 0;

  constructor(readonly socket: Socket) {
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (chunk) => (this.received += chunk.toString('latin1')));
    socket.on('error', () => socket.destroy());
  }

  /** Resolves once what was received contains the text. */
  async until(text: string): Promise<void> {
    while (!this.received.includes(text)) await once(this.socket, 'data');
  }

  /** Resolves once the head of a request is here. */
  async head(): Promise<string> {
    await this.until('\r\n\r\n');
    return this.received.slice(0, this.received.indexOf('\r\n\r\n') + 4);
  }

  /** Resolves once the head of the next request is here; for requests without a body. */
  async nextHead(): Promise<string> {
    for (;;) {
      const end = this.received.indexOf('\r\n\r\n', this.#read);
      if (end === -1) {
        await once(this.socket, 'data');
        continue;
      }
      const head = this.received.slice(this.#read, end + 4);
      this.#read = end + 4;
      return head;
    }
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }
}

/** The TCP port that a server listens on. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('The server does not listen on a port');
  return address.port;
}

/** An upstream on a raw socket, so that it can misbehave in every way HTTP libraries won't let one. */
export class StubUpstream {
  readonly connections: StubConnection[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param script run for each connection; a text is what every request head is answered with. */
  static async start(script: Script | string): Promise<StubUpstream> {
    const run = typeof script === 'string' ? answering(script) : script;
    const server = createServer((socket) => {
      const connection = new StubConnection(socket);
      stub.connections.push(connection);
      void run(connection);
    });
    const stub = new StubUpstream(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return stub;
  }

  get port(): number {
    return portOf(this.#server);
  }

  /** Everything received on all connections. */
  get received(): string {
    return this.connections.map(({ received }) => received).join('');
  }

  /** Resolves with the first connection, as soon as there is one. */
  async connection(): Promise<StubConnection> {
    let [first] = this.connections;
    while (first === undefined) {
      await once(this.#server, 'connection');
      [first] = this.connections;
    }
    return first;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function answering(text: string): Script {
  // Until its connection ends, as it does where the gateway drops it.
  return (connection) => answerEach(connection, text).catch(() => undefined);
}

async function answerEach(connection: StubConnection, text: string): Promise<void> {
  for (;;) {
    await connection.nextHead();
    connection.write(text);
  }
}
