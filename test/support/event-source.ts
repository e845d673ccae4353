/** One message of a stream of server-sent events. */
export interface Message {
  readonly event: string;
  readonly id: string | null;
  readonly data: string;
}

/** Reads server-sent events as a browser does, message by message. */
export class EventSource implements AsyncDisposable {
  private readonly ending = new AbortController();
  private reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  private readonly decoder = new TextDecoder();
  private text = '';

  private constructor(private readonly url: string) {}

  static async open(url: string, headers: Record<string, string>): Promise<EventSource> {
    const source = new EventSource(url);
    const response = await fetch(url, { headers, signal: source.ending.signal });
    if (response.status !== 200 || response.body === null)
      throw new Error(`${response.status} ${await response.text()}`);
    source.reader = response.body.getReader();
    source.headers = response.headers;
    return source;
  }

  headers = new Headers();

  /** The next message; null when the server ended the stream. Comments are skipped. */
  async next(): Promise<Message | null> {
    for (;;) {
      const end = this.text.indexOf('\n\n');
      if (end >= 0) {
        const block = this.text.slice(0, end);
        this.text = this.text.slice(end + 2);
        if (!block.startsWith(':')) return messageOf(block);
        continue;
      }
      const chunk = await this.reader?.read();
      if (chunk === undefined || chunk.done) return null;
      this.text += this.decoder.decode(chunk.value, { stream: true });
    }
  }

  /** Takes messages until one is as asked. */
  async until(isIt: (message: Message) => boolean): Promise<Message[]> {
    const taken: Message[] = [];
    for (;;) {
      const message = await this.next();
      if (message === null) throw new Error(`${this.url} ended after ${JSON.stringify(taken)}`);
      taken.push(message);
      if (isIt(message)) return taken;
    }
  }

  /** Leaves as a browser that is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.ending.abort();
    await this.reader?.closed.catch(() => undefined);
  }
}

function messageOf(block: string): Message {
  const fields = block.split('\n').map((line) => {
    const colon = line.indexOf(': ');
    return [line.slice(0, colon), line.slice(colon + 2)] as const;
  });
  const only = (name: string) => fields.find(([key]) => key === name)?.[1];
  const data = fields.filter(([key]) => key === 'data').map(([, value]) => value);
  return { event: only('event') ?? 'message', id: only('id') ?? null, data: data.join('\n') };
}
