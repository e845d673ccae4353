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
