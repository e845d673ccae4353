import { answersIn } from './raw-answers.js';
import type { RawAnswer } from './contract-answer.js';
import type { Browser } from './clients.js';
import { ECHO_SLICES, echoCustomer, type Seen } from './echo.js';
import { Gateway } from './gateway.js';
import { RawClient } from './raw-client.js';

export interface RawCustomerOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly email?: string;
  readonly name?: string;
}

/** A signed-in customer of a whole gateway, with an echo app for a slice, who writes to raw sockets. */
export class RawCustomer implements AsyncDisposable {
  private constructor(
    readonly gateway: Gateway,
    readonly browser: Browser,
  ) {}

  static async start({ env, email, name }: RawCustomerOptions = {}): Promise<RawCustomer> {
    const gateway = await Gateway.start({ env: { ...ECHO_SLICES, ...env } });
    return new RawCustomer(gateway, await echoCustomer(gateway, email, name));
  }

  get port(): number {
    return Number(new URL(this.gateway.url).port);
  }

  /** The line that signs a request in. */
  get cookieLine(): string {
    return `Cookie: ${this.browser.cookie}\r\n`;
  }

  /** Sends the bytes as they stand, and gives the answers that came until the gateway closed. */
  async exchange(text: string, localAddress?: string): Promise<RawAnswer[]> {
    return answersIn(await RawClient.exchange(this.port, text, localAddress));
  }

  /** What has reached the parser of the slice since this was last asked. */
  async arrivals(): Promise<string[]> {
    return (await this.browser.get('/api/arrivals')).body;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]();
  }
}

/** The request as the echo app saw it, of its answer. */
export function seenIn(answer: RawAnswer | undefined): Seen {
  if (answer?.status !== 200) throw new Error(`The slice was not reached: ${answer?.status} ${answer?.text}`);
  return JSON.parse(answer.text);
}
