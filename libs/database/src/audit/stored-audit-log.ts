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

/** What JSON can say and jsonb can't hold: NUL, and halves of surrogate pairs. Behind a backslash of the text it is text. */
const UNSTORABLE = /\\(?:\\|u0000|ud[89a-f][\da-f]{2})/g;

function jsonOf(facts: object | null | undefined): string | null {
  if (facts === null || facts === undefined) return null;
  return JSON.stringify(facts).replaceAll(UNSTORABLE, (escaped) =>
    escaped === String.raw`\\` ? escaped : String.raw`\ufffd`,
  );
}
