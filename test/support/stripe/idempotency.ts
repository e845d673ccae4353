import { StripeFault } from './params.js';

/** As long as Stripe promises; it may keep them longer. */
const KEPT_MS = 24 * 3_600_000;

export interface Reply {
  readonly status: number;
  readonly body: object;
}

interface Known {
  readonly fingerprint: string;
  readonly atMs: number;
  readonly reply: Promise<Reply>;
}

/** Stripe's idempotency keys: the same key and the same request, the same reply, failures included, for a day. */
export class Replays {
  private readonly known = new Map<string, Known>();

  constructor(private readonly nowMs: () => number) {}

  /**
   * @param work refuses what is not to be kept: a request that is faulty has not begun
   * @throws StripeFault for a key that was used for another request
   */
  async once(
    key: string,
    fingerprint: string,
    work: () => Promise<Reply>,
  ): Promise<{ reply: Reply; replayed: boolean }> {
    const known = this.known.get(key);
    if (known === undefined || known.atMs + KEPT_MS <= this.nowMs()) {
      const reply = work();
      this.known.set(key, { fingerprint, atMs: this.nowMs(), reply });
      reply.catch(() => this.known.delete(key));
      return { reply: await reply, replayed: false };
    }
    if (known.fingerprint !== fingerprint)
      throw new StripeFault(400, {
        type: 'idempotency_error',
        message: `Keys for idempotent requests can only be used with the same parameters they were first used with. (${key})`,
      });
    return { reply: await known.reply, replayed: true };
  }
}
