import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RequestSender } from './request-sender.js';

const KB = 1024;

/** Memory of its own, as Node hands out what it read of a body. */
function own(bytes: number, fill: string): Buffer {
  return Buffer.from(new ArrayBuffer(bytes)).fill(fill);
}

describe('The body of a request', () => {
  const server = createServer();
  let socket: Socket;
  let arrived: Promise<Buffer>;

  beforeEach(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [peer]: Socket[] = await accepted;
    if (peer === undefined) throw new Error('nobody came');
    arrived = buffer(peer);
  });

  afterEach(() => {
    socket.destroy();
    server.close();
  });

  /** What arrives of these pieces. */
  async function send(pieces: readonly Buffer[], chunked: boolean): Promise<string> {
    await new Promise<void>((resolve) => {
      const sender = new RequestSender(Readable.from(pieces), socket, chunked, resolve);
      expect(sender.isBlocked).toBe(false);
    });
    socket.end();
    return (await arrived).toString('latin1');
  }

  it('arrives as it is where its length was said', async () => {
    await expect(send([own(70_000, 'a'), own(3, 'b')], false)).resolves.toBe(`${'a'.repeat(70_000)}bbb`);
  });

  it('arrives in chunks elsewhere', async () => {
    const sent = send([own(0x11170, 'a'), own(0, ''), own(3, 'b')], true);
    await expect(sent).resolves.toBe(`11170\r\n${'a'.repeat(0x11170)}\r\n3\r\nbbb\r\n0\r\n\r\n`);
  });

  it.each([true, false])('gives the memory of large pieces back (in chunks: %s)', async (chunked) => {
    const pieces = Array.from({ length: 20 }, () => own(64 * KB, 'a'));
    const text = await send(pieces, chunked);
    expect(text.replaceAll(/[^a]/g, '')).toBe('a'.repeat(20 * 64 * KB));
    expect(pieces.map(({ byteLength }) => byteLength)).toEqual(pieces.map(() => 0));
  });

  it('leaves memory alone that has more in it than the piece', async () => {
    const shared = own(64 * KB, 'a');
    await send([shared.subarray(0, 32 * KB)], false);
    expect(shared.byteLength).toBe(64 * KB);
  });
});
