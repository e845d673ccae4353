import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuthError, Clock } from '#common';
import { AuditEntry, User, UserIdentity } from '#database';
import type { SessionPrincipal } from '../principals/principal.js';
import { sessionFacts } from '../sessions/devices.service.js';
import { SessionStore } from '../sessions/session-store.js';
import type { AccountExport } from './account-schemas.js';
import { BillingRecords } from './billing-records.js';
import { SliceAllocator } from './slice-allocator.js';
import { publicUser } from './users.js';

/** Of what the operator did; more than anybody's account has. */
const LATEST = 1000;

/** Puts together what is kept of a customer, for themselves. No secret is in it: a hash is nothing to take along. */
@Injectable()
export class AccountExports {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sessions: SessionStore,
    private readonly slices: SliceAllocator,
    private readonly billing: BillingRecords,
    private readonly clock: Clock,
  ) {}

  async of({ user: { id } }: SessionPrincipal): Promise<AccountExport> {
    const { manager } = this.dataSource;
    const [user, identities, sessions, slice, billing, audit] = await Promise.all([
      manager.findOneBy(User, { id }),
      manager.find(UserIdentity, { where: { userId: id }, order: { createdAt: 'ASC' } }),
      this.sessions.list(id),
      this.slices.sliceOf(id),
      this.billing.recordOf(id),
      manager.find(AuditEntry, {
        where: { targetKind: 'user', targetId: id },
        order: { id: 'DESC' },
        take: LATEST,
      }),
    ]);
    if (user === null) throw new AuthError('UNAUTHENTICATED', 'Your session has ended. Please sign in.');
    return {
      exportedAt: this.clock.now().toISOString(),
      user: {
        ...publicUser(user),
        createdAt: user.createdAt.toISOString(),
        emailVerifiedAt: user.emailVerifiedAt?.toISOString() ?? null,
      },
      identities: identities.map(({ issuer, subject, createdAt }) => ({
        issuer,
        subject,
        createdAt: createdAt.toISOString(),
      })),
      sessions: sessions.map(sessionFacts),
      slice,
      billing,
      // Where the operator sat is the operator's.
      audit: audit.map(({ at, action, actorId, ip }) => ({
        at: at.toISOString(),
        action,
        ip: actorId === id ? ip : null,
      })),
    };
  }
}
