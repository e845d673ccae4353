import { Injectable } from '@nestjs/common';
import { type AuditedAction, AuditLog, Clock, whoActs } from '#common';
import { Transactions } from '../transactions.js';

/** The audit in PostgreSQL, beside what it tells of. */
@Injectable()
export class StoredAuditLog extends AuditLog {
  constructor(
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {
    super();
  }

  override async record({ action, target, before, after }: AuditedAction): Promise<void> {
    const { actor, ip, requestId } = whoActs();
    const actorId = actor.kind === 'user' ? actor.id : null;
    await this.transactions.manager.query(
      `INSERT INTO audit_entry (at, actor_kind, actor_id, action, target_kind, target_id, before, after, ip, request_id)
       VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb, $9, $10)`,
      [
        this.clock.now(),
        actor.kind,
        actorId,
        action,
        target.kind,
        target.id,
        jsonOf(before),
        jsonOf(after),
        ip,
        requestId,
      ],
    );
  }
}

/** jsonb holds no NUL; everything else that is JSON it does. */
function jsonOf(facts: object | null | undefined): string | null {
  return facts === null || facts === undefined
    ? null
    : JSON.stringify(facts).replaceAll(String.raw`\u0000`, String.raw`\ufffd`);
}
