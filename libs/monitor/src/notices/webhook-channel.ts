import { createHmac } from 'node:crypto';
import type { Clock } from '#common';
import type { Channel, SentNotice } from './channel.js';
import { postJson } from './http-post.js';

/**
 * JSON to an URL of the operator's. The signature covers the time and the body: a receiver that refuses old times can't
 * be played an old notice, and by the id it tells one that it has got twice.
 */
export class WebhookChannel implements Channel {
  readonly name = 'webhook';

  constructor(
    private readonly url: string,
    private readonly secret: string | null,
    private readonly clock: Clock,
  ) {}

  deliver({ id, title, body, type, createdAt }: SentNotice): Promise<void> {
    const text = JSON.stringify({ id, title, body, type, createdAt: createdAt.toISOString() });
    return postJson(this.url, text, { 'x-sluice-notice': id, ...this.signature(text) });
  }

  private signature(text: string): Record<string, string> {
    if (this.secret === null) return {};
    const seconds = Math.floor(this.clock.nowMs() / 1000);
    const mac = createHmac('sha256', this.secret).update(`${seconds}.${text}`).digest('hex');
    return { 'x-sluice-signature': `t=${seconds},v1=${mac}` };
  }
}
