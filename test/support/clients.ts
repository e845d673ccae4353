import { eventually } from './eventually.js';

/** An answer, read to its end. */
export interface Answer<Body = any> {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON. */
  readonly body: Body;
}

export interface Send {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** Talks JSON to a server. */
export class Client {
  constructor(readonly url: string) {}

  get(path: string, init: Send = {}): Promise<Answer> {
    return this.send('GET', path, init);
  }

  post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('POST', path, { body, headers });
  }

  async send(method: string, path: string, { body, headers = {} }: Send = {}): Promise<Answer> {
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(`${this.url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...this.credentials(),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
    });
    const answer = { status: response.status, headers: response.headers, body: await readBody(response) };
    this.received(answer);
    return answer;
  }

  protected credentials(): Record<string, string> {
    return {};
  }

  protected received(_answer: Answer): void {}
}

/** Keeps its session cookie, as a browser does. */
export class Browser extends Client {
  cookie = '';

  async register(email: string, password: string, name?: string): Promise<Answer> {
    return this.post('/auth/register', { email, password, name });
  }

  async login(email: string, password: string): Promise<Answer> {
    return this.post('/auth/login', { email, password });
  }

  async logout(): Promise<Answer> {
    return this.post('/auth/logout');
  }

  /** Waits until the customer's own slice answers. */
  async sliceIsReady(): Promise<void> {
    await eventually(async () => {
      const { status, body } = await this.get('/api/notes');
      if (status !== 200) throw new Error(`the slice answers ${status} ${JSON.stringify(body)}`);
    }, 20_000);
  }

  protected override credentials(): Record<string, string> {
    return this.cookie === '' ? {} : { cookie: this.cookie };
  }

  protected override received({ headers }: Answer): void {
    const [set] = headers.getSetCookie();
    if (set !== undefined) this.cookie = set.includes('Max-Age=0') ? '' : (set.split(';', 1)[0] ?? '');
  }
}

/** The operator, or Terraform in the operator's name. */
export class OperatorClient extends Client {
  constructor(
    url: string,
    private readonly adminKey: string,
  ) {
    super(url);
  }

  provision(request: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<Answer> {
    return this.post('/orchestrator/provision', request, headers);
  }

  destroy(sliceId: number, force = false): Promise<Answer> {
    return this.post(`/orchestrator/destroy/${sliceId}${force ? '?force=true' : ''}`);
  }

  protected override credentials(): Record<string, string> {
    return { 'x-admin-key': this.adminKey };
  }
}

async function readBody(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === '') return null;
  return response.headers.get('content-type')?.includes('json') === true ? JSON.parse(text) : text;
}
