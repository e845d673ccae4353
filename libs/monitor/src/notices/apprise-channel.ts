import type { Channel, SentNotice } from './channel.js';
import { postJson } from './http-post.js';

/** An Apprise API: it passes a notice on to whatever its operator has set up there. */
export class AppriseChannel implements Channel {
  readonly name = 'apprise';

  constructor(private readonly url: string) {}

  deliver({ title, body, type }: SentNotice): Promise<void> {
    return postJson(this.url, JSON.stringify({ title, body, type }), {});
  }
}
