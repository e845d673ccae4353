/** As much of the ustar format (POSIX.1-2017, pax) as the engine's archive calls need for one entry. */
const BLOCK = 512;

export interface Owner {
  uid: number;
  gid: number;
}

/** An archive of one directory: extracted over one that exists, it sets owner and mode, and leaves what is in it. */
export function directoryArchive(name: string, owner: Owner, mode: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(`${name}/`, 0, 100);
  header.write(octal(mode, 8), 100);
  header.write(octal(owner.uid, 8), 108);
  header.write(octal(owner.gid, 8), 116);
  header.write(octal(0, 12), 124);
  header.write(octal(0, 12), 136);
  header.write('5', 156);
  header.write('ustar\u000000', 257);
  // The checksum is the sum of all bytes, its own eight counted as blanks.
  header.write(' '.repeat(8), 148);
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, Buffer.alloc(2 * BLOCK)]);
}

/** The text of an archive's first entry, a file. */
export function firstFile(archive: Buffer): string {
  const size = Number.parseInt(archive.toString('ascii', 124, 136), 8);
  return archive.toString('utf8', BLOCK, BLOCK + size);
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}
