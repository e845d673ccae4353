import { describe, expect, it } from '@jest/globals';
import { textOfFrames } from './log-frames.js';

function frame(stream: 1 | 2, text: string): Buffer {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

describe('textOfFrames', () => {
  it('joins both streams in their order', () => {
    expect(textOfFrames(Buffer.concat([frame(1, 'out\n'), frame(2, 'err\n'), frame(1, 'ü\n')]))).toBe(
      'out\nerr\nü',
    );
  });

  it('is empty without frames, and takes what there is of one cut short', () => {
    expect(textOfFrames(Buffer.alloc(0))).toBe('');
    expect(textOfFrames(frame(1, 'whole').subarray(0, 11))).toBe('who');
  });
});
