import { LogLines } from '../log-lines.js';

const HEADER = 8;

/**
 * The text in the engine's log format: frames of an 8-byte header (stream, three zeros, length as 32 bit big endian)
 * and their payload.
 */
export function textOfFrames(frames: Buffer): string {
  const payloads: Buffer[] = [];
  for (let at = 0; at + HEADER <= frames.length;) {
    const end = at + HEADER + frames.readUInt32BE(at + 4);
    payloads.push(frames.subarray(at + HEADER, end));
    at = end;
  }
  return Buffer.concat(payloads).toString('utf8').replace(/\n$/, '');
}

/** Reads the same format as it comes, in pieces of any size. Lines of the two streams are not mixed up. */
export class LogFrames {
  private readonly streams = new Map<number, LogLines>();
  private header = Buffer.alloc(0);
  /** Of the frame at hand: its stream, and what of it is still to come. */
  private stream = 0;
  private left = 0;

  /** The lines that are complete by these bytes. */
  push(bytes: Buffer): string[] {
    const lines: string[] = [];
    for (let at = 0; at < bytes.length;) {
      if (this.left === 0) {
        at = this.readHeader(bytes, at);
        continue;
      }
      const end = Math.min(bytes.length, at + this.left);
      lines.push(...this.linesOf(this.stream).push(bytes.subarray(at, end)));
      this.left -= end - at;
      at = end;
    }
    return lines;
  }

  /** What stands at the end of either stream without a line feed. */
  end(): string[] {
    return [...this.streams.values()].flatMap((lines) => lines.end());
  }

  private readHeader(bytes: Buffer, from: number): number {
    const end = Math.min(bytes.length, from + HEADER - this.header.length);
    this.header = Buffer.concat([this.header, bytes.subarray(from, end)]);
    if (this.header.length === HEADER) {
      this.stream = this.header.readUInt8(0);
      this.left = this.header.readUInt32BE(4);
      this.header = Buffer.alloc(0);
    }
    return end;
  }

  private linesOf(stream: number): LogLines {
    const known = this.streams.get(stream);
    if (known !== undefined) return known;
    const lines = new LogLines();
    this.streams.set(stream, lines);
    return lines;
  }
}
