import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { eventually } from './eventually.js';

/** A mail as it came over the wire. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  readonly html: string;
}

/** An answer of the server other than yes, at the recipient. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** A real SMTP server on a port of its own, with no mailbox behind it. */
export class MailServer implements AsyncDisposable {
  readonly received: ReceivedMail[] = [];
  /** Answers to the next recipients, in turn; after them every one is welcome. */
  readonly refusals: Refusal[] = [];
  /** Tries of recipients, refused ones included. */
  attempts = 0;
  /** Called after a mail has come whole, and before the server says that it took it. */
  beforeYes: () => Promise<void> = () => Promise.resolve();
  private server: SMTPServer;
  private port = 0;

  private constructor() {
    this.server = this.create();
  }

  static async start(): Promise<MailServer> {
    const server = new MailServer();
    await server.listen();
    return server;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  /** Goes away, connections and all. */
  async down(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(resolve));
  }

  /** Comes back, on the same port. */
  async up(): Promise<void> {
    this.server = this.create();
    await this.listen();
  }

  /** Waits for the n-th mail to an address, by default the first. */
  async mailTo(address: string, nth = 1): Promise<ReceivedMail> {
    return eventually(async () => {
      const found = this.received.filter(({ to }) => to.includes(address))[nth - 1];
      if (found === undefined) throw new Error(`no mail number ${nth} to ${address}`);
      return found;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }

  private create(): SMTPServer {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      logger: false,
      onRcptTo: (_address, _session, callback) => {
        this.attempts++;
        const refusal = this.refusals.shift();
        if (refusal === undefined) callback();
        else callback(Object.assign(new Error(refusal.message), { responseCode: refusal.status }));
      },
      onData: (stream, { envelope }, callback) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
          const to = envelope.rcptTo.map(({ address }) => address);
          this.received.push({ from, to, ...parseMessage(Buffer.concat(chunks).toString('latin1')) });
          void this.beforeYes().finally(callback);
        });
      },
    });
    server.on('error', () => undefined); // a client that goes away
    return server;
  }

  private async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.server.address() as AddressInfo).port;
  }
}

/** The first link of a mail. */
export function linkIn({ text }: ReceivedMail): URL {
  const link = /https?:\/\/\S+/.exec(text)?.[0];
  if (link === undefined) throw new Error(`no link in: ${text}`);
  return new URL(link);
}

/** Reads what nodemailer writes: `multipart/alternative` of text and HTML (RFC 2046 §5.1), each encoded in itself. */
function parseMessage(raw: string): Omit<ReceivedMail, 'from' | 'to'> {
  const { headers, body } = splitEntity(raw);
  const boundary = /boundary="?([^";]+)"?/.exec(headers.get('content-type') ?? '')?.[1] ?? '';
  const parts = body
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => splitEntity(part.replace(/^\r\n/, '')));
  const decoded = (type: string): string => {
    const part = parts.find((each) => each.headers.get('content-type')?.startsWith(type));
    return part === undefined
      ? ''
      : decode(part.body, part.headers.get('content-transfer-encoding') ?? '7bit');
  };
  return { headers, text: decoded('text/plain'), html: decoded('text/html') };
}

function splitEntity(raw: string): { headers: Map<string, string>; body: string } {
  const end = raw.indexOf('\r\n\r\n');
  const lines = raw
    .slice(0, end)
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { headers, body: raw.slice(end + 4) };
}

function decode(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  if (encoding !== 'quoted-printable') return Buffer.from(body, 'latin1').toString('utf8');
  const bytes = body
    .replaceAll(/=\r\n/g, '')
    .replaceAll(/=([0-9A-F]{2})/g, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
