/**
 * Clients that keep connections without making progress, as many as it is told: `{port, cookie, count}` of each kind by
 * the first message. Says `stuck` once all of them are, and at any later message what has become of them.
 *
 * headers: a byte of its header block now and then. body: half of its body, and no more. read: reads nothing of an answer.
 */
import { connect } from 'node:net';
import { once } from 'node:events';

const DRIP_MS = 500;
/** So many at a time: a queue of connections is as long as the listener says. */
const AT_ONCE = 50;

const sockets = [];
const ends = { headers: {}, body: {}, read: {} };

const begin = {
  headers: () => 'GET /api/x HTTP/1.1\r\nHost: a\r\nX-A: ',
  body: (cookie) =>
    `POST /api/upload HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\nContent-Length: 1000\r\n\r\nhalf`,
  read: (cookie) => `GET /api/endless HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\n\r\n`,
};

async function open(kind, { port, cookie }) {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  sockets.push(socket);
  let answer = 'cut';
  const drip = kind === 'headers' ? setInterval(() => socket.write('x'), DRIP_MS) : undefined;
  socket.on('close', () => {
    clearInterval(drip);
    ends[kind][answer] = (ends[kind][answer] ?? 0) + 1;
  });
  if (kind === 'read') socket.pause();
  else
    socket.on(
      'data',
      (chunk) => (answer = /^HTTP\/1\.1 (\d{3})/.exec(chunk.toString('latin1'))?.[1] ?? answer),
    );
  socket.write(begin[kind](cookie));
}

async function openAll(plan) {
  for (const each of plan) {
    const kinds = Object.entries(each.count).flatMap(([kind, count]) =>
      Array.from({ length: count }, () => kind),
    );
    while (kinds.length > 0) await Promise.all(kinds.splice(0, AT_ONCE).map((kind) => open(kind, each)));
  }
  process.send('stuck');
}

process.once('message', (plan) => {
  void openAll(plan);
  process.on('message', () => process.send(ends));
});
