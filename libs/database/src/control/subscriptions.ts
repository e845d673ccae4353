import type { LoggerService } from '@nestjs/common';

export type NotificationHandler = (payload: string) => void;

/** Who listens to which channel; it outlives the sessions. */
export class Subscriptions {
  private readonly handlers = new Map<string, Set<NotificationHandler>>();

  constructor(private readonly logger: LoggerService) {}

  get channels(): string[] {
    return [...this.handlers.keys()];
  }

  /** Gives true when it is the channel's first. */
  add(channel: string, handler: NotificationHandler): boolean {
    const known = this.handlers.get(channel);
    if (known === undefined) this.handlers.set(channel, new Set([handler]));
    else known.add(handler);
    return known === undefined;
  }

  /** Gives true when it was the channel's last. */
  remove(channel: string, handler: NotificationHandler): boolean {
    const known = this.handlers.get(channel);
    known?.delete(handler);
    return known?.size === 0 && this.handlers.delete(channel);
  }

  /** Calls the handlers of a channel; one that throws does not keep it from the others. */
  dispatch(channel: string, payload: string): void {
    for (const handler of this.handlers.get(channel) ?? []) {
      try {
        handler(payload);
      } catch (error) {
        this.logger.error(error);
      }
    }
  }
}
