import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WebSocketServer } from 'ws';

/*
 * A slice for what nginx can't be: GET /api/notes?bytes=n sends n bytes, PUT takes any number and answers their SHA-256,
 * and a WebSocket is accepted and left alone.
 */
const PIECE = Buffer.alloc(64 * 1024, 'sluice');

function* pieces(bytes) {
  for (let left = bytes; left > 0; left -= PIECE.length)
    yield left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
}

async function answer(req, res) {
  if (req.method === 'PUT') {
    const hash = createHash('sha256');
    await pipeline(req, hash);
    res.end(hash.digest('hex'));
  } else {
    const bytes = Number(new URL(req.url, 'http://slice').searchParams.get('bytes') ?? 0);
    res.writeHead(200, { 'content-length': bytes });
    await pipeline(Readable.from(pieces(bytes), { objectMode: false }), res);
  }
}

const server = createServer((req, res) => {
  answer(req, res).catch(() => res.destroy());
});
const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
server.on('upgrade', (req, socket, head) => webSockets.handleUpgrade(req, socket, head, () => undefined));
server.listen(Number(process.env['PORT']), '127.0.0.1', 4096);
