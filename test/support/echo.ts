import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Browser } from './clients.js';
import { eventually } from './eventually.js';
import { type Gateway, PASSWORD } from './gateway.js';

const PROGRAM = fileURLToPath(new URL('echo-app.mjs', import.meta.url));

/** Environment of a gateway whose slices run test/support/echo-app.mjs. */
export const ECHO_SLICES = { SLICE_COMMAND: `${process.execPath} ${PROGRAM}` };

/** A request as the echo app saw it. */
export interface Seen {
  /** Which app it was. */
  readonly sliceId: string;
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly rawTrailers: readonly string[];
  readonly body: { readonly bytes: number; readonly sha256: string };
}

/** What the echo app is to answer with. */
export interface Told {
  readonly status?: number;
  /** Name, value, name, value … */
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** The path that makes the echo app answer so. */
export function answering(told: Told): string {
  return `/api/told?answer=${encodeURIComponent(JSON.stringify(told))}`;
}

/** All values of a header, in any case and with `_` for `-`, as the app saw them. */
export function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_value, i) => i % 2 === 1 && canonical(rawHeaders[i - 1] ?? '') === name);
}

/** A new customer, signed in, whose echo slice answers. */
export async function echoCustomer(
  gateway: Pick<Gateway, 'browser'>,
  email?: string,
  name?: string,
): Promise<Browser> {
  const browser = gateway.browser();
  await browser.register(email ?? `${crypto.randomUUID()}@example.com`, PASSWORD, name);
  await eventually(async () => {
    const { status } = await browser.get('/api/ready');
    if (status !== 200) throw new Error(`the slice answers ${status}`);
  }, 20_000);
  return browser;
}

/** The echo app without a gateway over it: for slices that are assigned by hand. */
export class EchoApp implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  /** @param sliceId what it calls itself */
  static async start(sliceId: string): Promise<EchoApp> {
    const child = spawn(process.execPath, [PROGRAM], {
      env: { PORT: '0', SLICE_ID: sliceId },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(child.stdout, 'data');
    return new EchoApp(child, Number(String(line)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill();
    await ended;
  }
}

function canonical(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}
