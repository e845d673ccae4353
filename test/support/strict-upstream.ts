import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { INCOMPLETE, takeRequest, valuesIn, type StrictRequest } from './strict-http.js';
import { portOf } from './stub-upstream.js';

/** Fields that concern one connection, with the values that a gateway may send in them. */
const OF_THE_CONNECTION: ReadonlyMap<string, RegExp> = new Map([
  ['connection', /^(?:keep-alive|close|TE)$/],
  ['transfer-encoding', /^chunked$/],
  ['te', /^trailers$/],
  ['keep-alive', /^$/],
  ['upgrade', /^$/],
  ['proxy-connection', /^$/],
  ['proxy-authorization', /^$/],
  ['expect', /^$/],
  ['trailer', /^$/],
]);

/**
 * An upstream on raw sockets that reads requests to the letter of RFC 9112, and notes whatever is not in order: it is
 * there to disagree with the gateway. Every answer names the target that was read, in `X-Saw`.
 */
export class StrictUpstream implements AsyncDisposable {
  /** What it would not have read as one plain request. */
  readonly faults: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(private readonly onRequest: (request: StrictRequest) => void) {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** @param onRequest called with every request, before it is answered */
  static async start(onRequest: (request: StrictRequest) => void): Promise<StrictUpstream> {
    const upstream = new StrictUpstream(onRequest);
    upstream.#server.listen(0, '127.0.0.1');
    await once(upstream.#server, 'listening');
    return upstream;
  }

  get port(): number {
    return portOf(this.#server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    let received = '';
    let isLast = false;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      try {
        if (isLast) throw new Error('bytes on a connection that was said to be over');
        const request = takeRequest(received, 'gateway');
        if (request === INCOMPLETE) return;
        received = '';
        this.#check(request);
        this.onRequest(request);
        isLast = answer(socket, request);
      } catch (error) {
        this.faults.push(`${String(error)} in ${JSON.stringify(received)}`);
        socket.destroy();
      }
    });
  }

  #check({ method, target, version, fields, rest }: StrictRequest): void {
    const hosts = valuesIn(fields, 'host');
    if (rest !== '') throw new Error(`bytes behind a request that is not answered yet: ${rest}`);
    if (version !== 'HTTP/1.1') throw new Error(version);
    if (method === 'CONNECT' || method === 'TRACE') throw new Error(method);
    if (!target.startsWith('/') || target.includes('#')) throw new Error(`the target ${target}`);
    if (hosts.length !== 1 || !/^[\w.[\]:-]+$/.test(hosts[0] ?? '')) throw new Error(`Host: ${hosts.join()}`);
    for (const [name, value] of fields) {
      const allowed = OF_THE_CONNECTION.get(name.toLowerCase());
      if (allowed !== undefined && !allowed.test(value)) throw new Error(`${name}: ${value}`);
    }
  }
}

/**
 * In one of the three ways that there are, by the length of the target.
 * @returns whether the connection ends with it
 */
function answer(socket: Socket, { method, target }: StrictRequest): boolean {
  const saw = `X-Saw: ${encodeURIComponent(target)}\r\n`;
  const body = method === 'HEAD' ? '' : target;
  const chunks = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const answers = [
    `HTTP/1.1 200 OK\r\n${saw}Content-Length: ${target.length}\r\n\r\n${body}`,
    `HTTP/1.1 200 OK\r\n${saw}Transfer-Encoding: chunked\r\n\r\n${chunks}`,
    `HTTP/1.1 200 OK\r\n${saw}Connection: close\r\nContent-Length: ${target.length}\r\n\r\n${body}`,
  ];
  const way = target.length % answers.length;
  socket.write(answers[way] ?? '', 'latin1');
  return way === 2;
}
