import { Injectable } from '@nestjs/common';
import { CoreError } from '#common';
import { WithCookie } from '../accounts/with-cookie.js';
import type { SessionPrincipal } from '../principals/principal.js';
import type { Device, SessionFacts } from './schemas.js';
import { SessionCookie } from './session-cookie.js';
import { SessionStore, type SessionSummary } from './session-store.js';
import { SessionsService } from './sessions.service.js';

/** The browsers somebody is signed in with, as they themselves see and end them. */
@Injectable()
export class DevicesService {
  constructor(
    private readonly store: SessionStore,
    private readonly sessions: SessionsService,
    private readonly cookie: SessionCookie,
  ) {}

  /** All of them, the one used last first. */
  async list({ user, sessionHash }: SessionPrincipal): Promise<Device[]> {
    const sessions = await this.store.list(user.id);
    return sessions.map((session) => ({ ...sessionFacts(session), current: session.id === sessionHash }));
  }

  /**
   * Signs one of them out; the one that asks loses its cookie.
   * @throws CoreError NOT_FOUND when the caller has no such session, whoever else may
   */
  async end({ user, sessionHash }: SessionPrincipal, id: string): Promise<WithCookie<undefined>> {
    const own = await this.store.list(user.id);
    if (!own.some((session) => session.id === id)) {
      throw new CoreError('NOT_FOUND', 'You have no such session. GET /auth/sessions lists those you have.');
    }
    await this.store.revoke(id);
    return new WithCookie(undefined, id === sessionHash ? this.cookie.clear() : null);
  }

  /** Signs all of them out, the one that asks as well, and ends the account's gateway tokens. */
  async endAll({ user }: SessionPrincipal): Promise<WithCookie<undefined>> {
    await this.sessions.endAll(user.id);
    return new WithCookie(undefined, this.cookie.clear());
  }
}

/** A session as an answer has it. */
export function sessionFacts({ createdAt, lastSeenAt, expiresAt, ...session }: SessionSummary): SessionFacts {
  return {
    ...session,
    createdAt: createdAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
  };
}
