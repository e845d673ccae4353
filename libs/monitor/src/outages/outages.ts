import { Injectable } from '@nestjs/common';
import { type EntityManager, In, LessThan, Like } from 'typeorm';
import { Clock, Notifier } from '#common';
import { AppConfig } from '#config';
import { MonitorState, Outage, Transactions } from '#database';
import { type Condition, inWords } from './condition.js';
import { DISK_PREFIX } from './server-conditions.js';

/** The channel of PostgreSQL's NOTIFY that says who was told of what has changed. */
export const OUTAGES_CHANGED = 'outages_changed';

/** As long as telemetry is kept. */
const UNSEEN_FOR_MS = 8 * 86_400_000;

/** What one pass has seen. */
export interface Findings {
  /** When the pass began: one that another has followed has no say any more. */
  readonly passAt: Date;
  readonly conditions: readonly Condition[];
  /** Beginnings of subjects of which every one that exists is among the conditions, or in `unsure`. */
  readonly complete: readonly string[];
  /** Subjects that nobody else may ever look at: they are forgotten when this pass was the last for eight days. */
  readonly looked: readonly string[];
  /** Subjects that exist, and of which nothing is known just now: they stay as they are. */
  readonly unsure: ReadonlySet<string>;
}

/**
 * What is wrong, remembered in the database, so that the operator hears of each outage once when it has lasted, and
 * once when it is over, whoever looks. The row and the notice come in one transaction.
 */
@Injectable()
export class Outages {
  constructor(
    private readonly transactions: Transactions,
    private readonly notifier: Notifier,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  /**
   * Takes note of what a pass has seen, and tells whom it concerns.
   * @returns whether it counted: not when a later pass has begun, here or on another replica
   */
  settle(findings: Findings): Promise<boolean> {
    return this.transactions.run(async (manager) => {
      const state = await manager.findOne(MonitorState, {
        where: { id: 1 },
        lock: { mode: 'pessimistic_write' },
      });
      if (state?.lastPassAt?.getTime() !== findings.passAt.getTime()) return false;
      const open = new Map((await manager.find(Outage)).map((outage) => [outage.subject, outage]));
      let told = false;
      for (const condition of findings.conditions) {
        const outage = open.get(condition.subject) ?? null;
        told = (await this.settleOne(manager, condition, outage)) || told;
      }
      told = (await this.forget(manager, findings, open)) || told;
      await this.forgetUnseen(manager, findings.looked);
      if (told) await manager.query('SELECT pg_notify($1, $2)', [OUTAGES_CHANGED, '']);
      return true;
    });
  }

  /** The subjects with this beginning that the operator was told of, without it. */
  async toldOf(prefix: string): Promise<Set<string>> {
    const outages = await this.transactions.manager.find(Outage);
    return new Set(
      outages.flatMap(({ subject, notifiedAt }) =>
        notifiedAt !== null && subject.startsWith(prefix) ? [subject.slice(prefix.length)] : [],
      ),
    );
  }

  /** @returns whether somebody was told */
  private settleOne(manager: EntityManager, condition: Condition, outage: Outage | null): Promise<boolean> {
    if (condition.state === 'bad') return this.goesOn(manager, condition, outage);
    return outage === null ? Promise.resolve(false) : this.recovers(manager, condition, outage);
  }

  private async goesOn(manager: EntityManager, condition: Condition, known: Outage | null): Promise<boolean> {
    const now = this.clock.now();
    const { subject, reason = 'it is down' } = condition;
    const outage =
      known ??
      manager.create(Outage, { subject, since: condition.since ?? now, notifiedAt: null, seenAt: now });
    const lastsMs = now.getTime() - outage.since.getTime();
    const { notifyAfterMs } = this.config.monitor;
    const isDue = lastsMs >= Math.min(notifyAfterMs, condition.tellAfterMs ?? notifyAfterMs);
    const tell = isDue && outage.notifiedAt === null;
    const isNews = known === null || tell || known.wellSince !== null || known.reason !== reason;
    if (!isNews) return false;
    Object.assign(outage, { reason, wellSince: null, ...(tell ? { notifiedAt: now } : {}) });
    await manager.save(outage);
    if (tell) await this.notifier.notify(condition.texts.began(reason, inWords(lastsMs)));
    return tell;
  }

  private async recovers(manager: EntityManager, condition: Condition, outage: Outage): Promise<boolean> {
    const now = this.clock.now();
    const wellSince = outage.wellSince ?? now;
    if (now.getTime() - wellSince.getTime() < (condition.settleMs ?? 0)) {
      if (outage.wellSince === null) await manager.update(Outage, { subject: outage.subject }, { wellSince });
      return false;
    }
    await manager.delete(Outage, { subject: outage.subject });
    if (outage.notifiedAt === null) return false;
    const lasted = inWords(wellSince.getTime() - outage.since.getTime());
    await this.notifier.notify(condition.texts.ended(lasted));
    return true;
  }

  /** What is stopped, destroyed or no longer configured has no outage, and nobody waits for its recovery. */
  private async forget(
    manager: EntityManager,
    { conditions, complete, unsure }: Findings,
    open: ReadonlyMap<string, Outage>,
  ): Promise<boolean> {
    const seen = new Set(conditions.map(({ subject }) => subject));
    const gone = [...open.keys()].filter(
      (subject) =>
        complete.some((prefix) => subject.startsWith(prefix)) && !seen.has(subject) && !unsure.has(subject),
    );
    if (gone.length === 0) return false;
    await manager.delete(Outage, gone);
    return true;
  }

  /** The disk of a gateway that is gone for good gets neither full nor empty any more. */
  private async forgetUnseen(manager: EntityManager, looked: readonly string[]): Promise<void> {
    const now = this.clock.nowMs();
    if (looked.length > 0)
      await manager.update(Outage, { subject: In([...looked]) }, { seenAt: new Date(now) });
    await manager.delete(Outage, {
      subject: Like(`${DISK_PREFIX}%`),
      seenAt: LessThan(new Date(now - UNSEEN_FOR_MS)),
    });
  }
}
