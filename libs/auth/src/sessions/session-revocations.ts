import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { ControlConnection } from '#database';

/**
 * The channel of PostgreSQL's NOTIFY. Its payload is `<user id>:<session hash>`; `<user id>:` for all of the user's
 * sessions, and `<user id>:!<session hash>` for all but that one.
 */
export const SESSION_REVOKED = 'session_revoked';

/** No hash begins with it (RFC 4648 §5). */
const EXCEPT = '!';

/** From now on this session, or with null every session of the user, is no longer one. */
export interface SessionRevocation {
  readonly userId: string;
  readonly sessionHash: string | null;
  /** With a `sessionHash` of null: the one session that goes on. */
  readonly exceptHash?: string;
}

export type RevocationListener = (revocation: SessionRevocation) => void;

/**
 * Tells every replica that sessions have ended, so that caches forget them and their live WebSockets are closed. Only
 * this is ever told, never that a session is valid: a lost message must not be able to let somebody in, and a forged
 * one could do no more than cost a look-up. A cache must bypass itself while `ControlConnection.healthy` is false.
 */
@Injectable()
export class SessionRevocations implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(SessionRevocations.name);
  private readonly listeners = new Set<RevocationListener>();
  private stopListening: (() => void) | null = null;

  constructor(private readonly control: ControlConnection) {}

  async onModuleInit(): Promise<void> {
    this.stopListening = await this.control.listen(SESSION_REVOKED, (payload) => {
      const revocation = decodeRevocation(payload);
      if (revocation === null) this.logger.warn(`not a revocation: ${JSON.stringify(payload)}`);
      else this.deliver(revocation);
    });
  }

  onModuleDestroy(): void {
    this.stopListening?.();
  }

  /** Calls back at every revocation, sometimes twice at one, until the function given is called. */
  subscribe(listener: RevocationListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Tells this replica at once, then all of them. Resolves when the message is on its way to everybody.
   * @throws CoreError DATABASE_UNAVAILABLE
   */
  async announce(revocation: SessionRevocation): Promise<void> {
    this.deliver(revocation);
    await this.control.notify(SESSION_REVOKED, encodeRevocation(revocation));
  }

  /**
   * Tells this replica alone, for one who sends the NOTIFY in a transaction of its own: our own message comes back
   * only after the answer, and whoever signed out here must be out here when the answer says so.
   */
  deliver(revocation: SessionRevocation): void {
    for (const listener of this.listeners) {
      try {
        listener(revocation);
      } catch (error) {
        this.logger.error({ err: error }, 'a listener to revocations failed');
      }
    }
  }
}

/** The payload of {@link SESSION_REVOKED}. */
export function encodeRevocation({ userId, sessionHash, exceptHash }: SessionRevocation): string {
  return `${userId}:${sessionHash ?? (exceptHash === undefined ? '' : EXCEPT + exceptHash)}`;
}

function decodeRevocation(payload: string): SessionRevocation | null {
  const colon = payload.indexOf(':');
  if (colon < 1) return null;
  const userId = payload.slice(0, colon);
  const session = payload.slice(colon + 1);
  if (session.startsWith(EXCEPT))
    return { userId, sessionHash: null, exceptHash: session.slice(EXCEPT.length) };
  return { userId, sessionHash: session || null };
}
