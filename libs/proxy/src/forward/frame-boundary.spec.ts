import { describe, expect, it } from '@jest/globals';
import { array, assert, boolean, constantFrom, integer, oneof, property, tuple } from 'fast-check';
import { FrameBoundary } from './frame-boundary.js';

function frame(payload: number, masked: boolean): Buffer {
  const mask = masked ? 0x80 : 0;
  const key = Buffer.alloc(masked ? 4 : 0, 7);
  const body = Buffer.alloc(payload, 0x88);
  if (payload < 126) return Buffer.concat([Buffer.from([0x82, mask | payload]), key, body]);
  if (payload < 0x1_0000) {
    return Buffer.concat([Buffer.from([0x82, mask | 126, payload >> 8, payload & 0xff]), key, body]);
  }
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(payload));
  return Buffer.concat([Buffer.from([0x82, mask | 127]), length, key, body]);
}

const size = oneof(integer({ min: 0, max: 300 }), constantFrom(125, 126, 65_535, 65_536));
const frames = array(tuple(size, boolean()), { minLength: 1, maxLength: 6 });

describe('FrameBoundary', () => {
  it('is at a boundary exactly between frames, however the bytes are cut', () => {
    assert(
      property(frames, array(integer({ min: 1, max: 70_000 })), (shapes, cuts) => {
        const wire = shapes.map(([payload, masked]) => frame(payload, masked));
        const ends = new Set([0]);
        let total = 0;
        for (const { length } of wire) ends.add((total += length));
        const bytes = Buffer.concat(wire);
        const boundary = new FrameBoundary();
        let at = 0;
        for (const cut of [...cuts, total]) {
          boundary.push(bytes.subarray(at, at + cut));
          at = Math.min(total, at + cut);
          expect(boundary.atBoundary).toBe(ends.has(at));
        }
      }),
    );
  });

  it('follows a stream that comes byte by byte', () => {
    const boundary = new FrameBoundary();
    const bytes = Buffer.concat([frame(200, true), frame(0, false)]);
    const seen = [...bytes].map((byte) => {
      boundary.push(Buffer.from([byte]));
      return boundary.atBoundary;
    });
    expect(seen.flatMap((at, index) => (at ? [index + 1] : []))).toEqual([bytes.length - 2, bytes.length]);
  });
});
