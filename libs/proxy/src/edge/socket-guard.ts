import { Logger } from '@nestjs/common';
import { type SessionRevocations, type SessionStore } from '#auth';
import type { ControlConnection } from '#database';
import type { LiveSockets } from '../forward/live-sockets.js';

/**
 * Closes the WebSockets of sessions that have ended: an upgrade is decided once, and would otherwise outlive the
 * session for days.
 */
export class SocketGuard {
  private readonly logger = new Logger(SocketGuard.name);

  constructor(
    private readonly live: LiveSockets,
    private readonly sessions: SessionStore,
    private readonly revocations: SessionRevocations,
    private readonly control: ControlConnection,
  ) {}

  start(): void {
    this.revocations.subscribe(({ userId, sessionHash }) => {
      if (sessionHash === null) this.live.closeUser(userId);
      else this.live.closeSession(sessionHash);
    });
    this.control.onRestored(() => {
      this.recheck().catch((error: unknown) =>
        this.logger.error({ err: error }, 'open WebSockets could not be checked'),
      );
    });
  }

  /** After the bus was silent: a revocation may have been missed, so each open socket's session is looked up again. */
  private async recheck(): Promise<void> {
    for (const sessionKey of this.live.sessionKeys()) {
      if ((await this.sessions.find(sessionKey)) === null) this.live.closeSession(sessionKey);
    }
  }
}
