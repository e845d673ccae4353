/**
 * A tenant app that shows what reached it, and answers as it is told.
 *
 * HTTP: JSON of the request as it came, header lines raw; or with `?answer={"status","headers","body"}` just that.
 * `/api/deaf` makes it refuse connections from then on, though it runs.
 * `/api/arrivals` lists what has reached its parser since it was last asked: requests by method and URL, upgrades,
 * tunnels, and bytes that are no request.
 * WebSocket: every message comes back; `headers?` is answered with the header lines of the handshake, as JSON.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const { PORT = '3000', HOST = '127.0.0.1', SLICE_ID } = process.env;

let arrivals = [];

function listArrivals(res) {
  res.setHeader('content-type', 'application/json').end(JSON.stringify(arrivals));
  arrivals = [];
}

/** How many bytes, and which; whatever their number. */
async function digestOf(req) {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of req) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function serve(req, res) {
  const { method, url, rawHeaders, httpVersion } = req;
  if (url === '/api/arrivals') return listArrivals(res);
  arrivals.push(`${method} ${url}`);
  const told = new URL(url, 'http://app').searchParams.get('answer');
  if (url === '/api/deaf') server.close();
  const body = await digestOf(req);
  const seen = {
    sliceId: SLICE_ID,
    method,
    url,
    httpVersion,
    rawHeaders,
    rawTrailers: req.rawTrailers,
    body,
  };
  const answer = told === null ? { body: JSON.stringify(seen) } : JSON.parse(told);
  res.writeHead(answer.status ?? 200, answer.headers ?? ['content-type', 'application/json']);
  res.end(answer.body);
}

const server = createServer((req, res) => void serve(req, res).catch(() => res.destroy()));
server.on('upgrade', ({ url }) => arrivals.push(`upgrade ${url}`));
server.on('connect', ({ url }, socket) => {
  arrivals.push(`CONNECT ${url}`);
  socket.destroy();
});
server.on('clientError', ({ code }, socket) => {
  if (code !== 'ECONNRESET') arrivals.push(`no request: ${code}`);
  socket.destroy();
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', (socket, { rawHeaders }) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', (data, binary) => {
    const asked = !binary && data.toString('utf8') === 'headers?';
    socket.send(asked ? JSON.stringify(rawHeaders) : data, { binary });
  });
});
server.listen(Number(PORT), HOST, () => process.stdout.write(`${server.address().port}\n`));
