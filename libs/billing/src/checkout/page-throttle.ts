import { Injectable } from '@nestjs/common';
import { HitCounter, rateLimited } from '#auth';

const WINDOW_SECONDS = 600;
/** Both kinds of pages together: more than anybody needs who pays. */
const PAGES = 30;

/** Keeps one customer from using up what Stripe answers in a second to the whole account. */
@Injectable()
export class PageThrottle {
  constructor(private readonly hits: HitCounter) {}

  /**
   * Counts a request for a page at Stripe.
   * @throws CoreError RATE_LIMITED
   */
  async admit(userId: string): Promise<void> {
    const hits = await this.hits.hit(`billing:${userId}`, WINDOW_SECONDS);
    const refusal = rateLimited(
      hits,
      PAGES,
      'You have asked for many pages. Please wait before you try again.',
    );
    if (refusal !== undefined) throw refusal;
  }
}
