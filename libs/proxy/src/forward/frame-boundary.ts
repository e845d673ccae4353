/**
 * Follows a stream of WebSocket frames (RFC 6455 §5.2) just far enough to know whether it stands between two of
 * them. Only there may a frame of the gateway's own be put in.
 */
export class FrameBoundary {
  /** Bytes of the current frame that are still to come. */
  #payloadLeft = 0;
  /** The first bytes of a frame whose header is not complete yet; null between frames and within a payload. */
  #header: Buffer | null = null;

  /** Whether everything seen so far ends with the end of a frame. */
  get atBoundary(): boolean {
    return this.#payloadLeft === 0 && this.#header === null;
  }

  /** Takes the next bytes of the stream. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const taken = Math.min(this.#payloadLeft, chunk.length - at);
        this.#payloadLeft -= taken;
        at += taken;
      } else {
        at = this.#readHeader(chunk, at);
      }
    }
  }

  #readHeader(chunk: Buffer, at: number): number {
    const started = this.#header;
    const bytes = started === null ? chunk.subarray(at) : Buffer.concat([started, chunk.subarray(at)]);
    const length = headerLength(bytes);
    if (bytes.length < length) {
      this.#header = Buffer.from(bytes);
      return chunk.length;
    }
    this.#header = null;
    this.#payloadLeft = payloadLength(bytes);
    return at + length - (started?.length ?? 0);
  }
}

function headerLength(bytes: Buffer): number {
  const second = bytes[1];
  if (second === undefined) return 2;
  const length = second & 0x7f;
  const extended = length === 127 ? 8 : length === 126 ? 2 : 0;
  return 2 + extended + ((second & 0x80) === 0 ? 0 : 4);
}

function payloadLength(header: Buffer): number {
  const length = (header[1] ?? 0) & 0x7f;
  if (length === 126) return header.readUInt16BE(2);
  if (length === 127) return Number(header.readBigUInt64BE(2));
  return length;
}
