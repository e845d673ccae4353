import { StringDecoder } from 'node:string_decoder';

/** A line that is longer is cut: what never ends a line must not fill the memory. */
const MAX_LINE = 16 * 1024;

/** Makes lines of the bytes of one stream, as they come. */
export class LogLines {
  private readonly decoder = new StringDecoder('utf8');
  private rest = '';

  /** The lines that are complete by these bytes. */
  push(bytes: Buffer): string[] {
    const parts = (this.rest + this.decoder.write(bytes)).split('\n');
    this.rest = parts.pop() ?? '';
    if (this.rest.length > MAX_LINE) {
      parts.push(this.rest);
      this.rest = '';
    }
    return parts.map(tidy);
  }

  /** What stands at the end without a line feed. */
  end(): string[] {
    const rest = this.rest + this.decoder.end();
    this.rest = '';
    return rest === '' ? [] : [tidy(rest)];
  }
}

function tidy(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text;
}
