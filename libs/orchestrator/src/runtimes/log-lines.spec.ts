import { describe, expect, it } from '@jest/globals';
import { LogFrames } from './docker/log-frames.js';
import { LogLines } from './log-lines.js';

function frame(stream: number, text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

describe('the lines of a log', () => {
  it('are whole, however their bytes come', () => {
    const lines = new LogLines();
    const bytes = Buffer.from('grün\r\nzwei\n\ndrei');
    const taken = [...bytes].flatMap((byte) => lines.push(Buffer.from([byte])));
    expect([...taken, ...lines.end()]).toEqual(['grün', 'zwei', '', 'drei']);
    expect(lines.end()).toEqual([]);
  });

  it('are cut where they never end', () => {
    const lines = new LogLines();
    let longest = 0;
    for (let i = 0; i < 100; i++) {
      for (const line of lines.push(Buffer.alloc(10_000, 'x'))) longest = Math.max(longest, line.length);
    }
    expect(longest).toBeLessThan(17_000);
    expect(lines.end().join('').length).toBeLessThan(30_000);
  });
});

describe('the frames of the engine', () => {
  const bytes = Buffer.concat([
    frame(1, 'one\ntw'),
    frame(2, 'error\n'),
    frame(1, 'o\n'),
    frame(1, ''),
    frame(2, 'end'),
  ]);

  it.each([1, 3, 7, 8, 9, 1000])('are read in pieces of %i bytes, each stream by itself', (size) => {
    const frames = new LogFrames();
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += size) lines.push(...frames.push(bytes.subarray(at, at + size)));
    expect([...lines, ...frames.end()]).toEqual(['one', 'error', 'two', 'end']);
  });
});
