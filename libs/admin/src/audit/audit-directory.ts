import { Injectable } from '@nestjs/common';
import { DataSource, In, type SelectQueryBuilder } from 'typeorm';
import { AuditEntry, User } from '#database';
import { literally } from '../fields.js';
import type { AuditEntryView, AuditPage, AuditQuery } from './schemas.js';

/** What operators did, as the operator reads it. */
@Injectable()
export class AuditDirectory {
  constructor(private readonly dataSource: DataSource) {}

  /** One page, the latest first. Pages hold still while new entries come in: each begins where the one before ended. */
  async page(query: AuditQuery): Promise<AuditPage> {
    const found = await this.select(query)
      .orderBy('entry.id', 'DESC')
      .take(query.limit + 1)
      .getMany();
    const entries = found.slice(0, query.limit);
    const next = found.length > query.limit ? (entries.at(-1)?.id ?? null) : null;
    return { entries: await this.named(entries), next };
  }

  private select({ before, actor, action, target, from, to }: AuditQuery): SelectQueryBuilder<AuditEntry> {
    const select = this.dataSource.getRepository(AuditEntry).createQueryBuilder('entry');
    if (before !== undefined) select.andWhere('entry.id < :before', { before });
    if (actor === 'adminKey' || actor === 'system') select.andWhere('entry.actor_kind = :actor', { actor });
    else if (actor !== undefined) select.andWhere('entry.actor_id = :actor', { actor });
    if (action?.endsWith('.') === true)
      select.andWhere('entry.action LIKE :area', { area: `${literally(action)}%` });
    else if (action !== undefined) select.andWhere('entry.action = :action', { action });
    const [kind, id] = target === undefined ? [] : split(target);
    if (kind !== undefined) select.andWhere('entry.target_kind = :kind', { kind });
    if (id !== undefined) select.andWhere('entry.target_id = :id', { id });
    if (from !== undefined) select.andWhere('entry.at >= :from', { from });
    if (to !== undefined) select.andWhere('entry.at < :to', { to });
    return select;
  }

  /** One query for all accounts of a page. */
  private async named(entries: readonly AuditEntry[]): Promise<AuditEntryView[]> {
    const ids = [...new Set(entries.map(({ actorId }) => actorId).filter((id) => id !== null))];
    const users = ids.length === 0 ? [] : await this.dataSource.getRepository(User).findBy({ id: In(ids) });
    const emails = new Map(users.map(({ id, email }) => [id, email]));
    return entries.map(({ id, at, actorKind, actorId, action, targetKind, targetId, ...rest }) => ({
      id,
      at: at.toISOString(),
      actor: {
        kind: actorKind,
        id: actorId,
        email: actorId === null ? null : (emails.get(actorId) ?? null),
      },
      action,
      target: { kind: targetKind, id: targetId },
      before: rest.before,
      after: rest.after,
      ip: rest.ip,
      requestId: rest.requestId,
    }));
  }
}

function split(target: string): [kind: string, id?: string] {
  const colon = target.indexOf(':');
  return colon < 0 ? [target] : [target.slice(0, colon), target.slice(colon + 1)];
}
