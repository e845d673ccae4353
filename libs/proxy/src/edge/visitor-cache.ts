import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import pLimit, { type LimitFunction } from 'p-limit';
import { ProviderSessions, SessionRevocations, SessionStore } from '#auth';
import { Clock, CoreError, Metrics } from '#common';
import { AppConfig } from '#config';
import { ControlConnection } from '#database';
import { SliceDirectory } from '#orchestrator';
import { ChangeWatch } from './change-watch.js';
import { CustomerAccess } from './customer-access.js';
import { visitorOf, type Visitor } from './visitor.js';

const CAPACITY = 50_000;

/** Look-ups that may wait for one of the slots; a queue beyond that is a flood, and is told to come back. */
const MAX_WAITING = 1000;
const BUSY_RETRY_SECONDS = 1;

/** A look-up under way, and what overtook it. */
interface Flight {
  readonly watch: ChangeWatch;
  readonly result: Promise<Visitor | null>;
}

/**
 * Session hash → visitor, so that a proxied request costs no query. Entries are dropped by the bus: at a revocation of
 * the user's sessions, at a change of their slice, and of what they have paid for. While the bus is silent nothing is kept and nothing is used, so
 * a message that is lost can't let anybody in.
 */
@Injectable()
export class VisitorCache implements OnModuleInit {
  private readonly entries = new LRUCache<string, Visitor>({
    max: CAPACITY,
    dispose: (visitor, hash) => this.unindex(visitor, hash),
  });
  private readonly hashesOf = new Map<string, Set<string>>();
  /** The latest look-up of each session, for others to join. */
  private readonly flights = new Map<string, Flight>();
  private readonly watches = new Set<ChangeWatch>();
  /** Bogus cookies cost a look-up each: half of the pool is left to sign-ins and to everything else. */
  private readonly slots: LimitFunction;

  constructor(
    private readonly sessions: SessionStore,
    private readonly slices: SliceDirectory,
    private readonly revocations: SessionRevocations,
    private readonly control: ControlConnection,
    private readonly clock: Clock,
    private readonly providerSessions: ProviderSessions,
    private readonly metrics: Metrics,
    private readonly access: CustomerAccess,
    config: AppConfig,
  ) {
    this.slots = pLimit(Math.max(1, Math.floor(config.database.poolMax / 2)));
  }

  async onModuleInit(): Promise<void> {
    this.revocations.subscribe(({ userId }) => {
      for (const watch of this.watches) watch.signedOut(userId);
      this.drop(userId);
    });
    this.control.onRestored(() => this.forgetAll());
    await this.slices.onChange((ownerIds) => ownerIds.forEach((ownerId) => this.forget(ownerId)));
    await this.access.onChange((userId) => this.forget(userId));
  }

  /** The visitor if it is known here and now; an expired session is unknown, and looked up again. */
  get(hash: string): Visitor | undefined {
    if (!this.control.healthy) return undefined;
    const visitor = this.entries.get(hash);
    if (visitor === undefined || visitor.knownUntil <= this.clock.nowMs()) return undefined;
    this.metrics.sessionCache.hits++;
    return visitor;
  }

  /**
   * The visitor of a session; null when it is none (any more).
   * @throws CoreError DATABASE_UNAVAILABLE when too many look-ups wait already; and what the session store throws
   * @throws AuthError SESSION_EXPIRED when the session's provider ends it
   */
  async find(hash: string): Promise<Visitor | null> {
    return this.get(hash) ?? (await this.load(hash));
  }

  /** Notes from now on of whom something changes, until it is disposed of. */
  watch(): ChangeWatch {
    const watch = new ChangeWatch(() => this.watches.delete(watch));
    this.watches.add(watch);
    return watch;
  }

  /** Whether nothing has changed for a visitor since the watch began; while the bus is silent nobody can tell. */
  isUnchanged(visitor: Visitor, since: ChangeWatch): boolean {
    return this.control.healthy && !since.concerns(visitor);
  }

  /** Whether no session of a visitor's has ended since the watch began, as far as can be told. */
  isSignedIn(visitor: Visitor, since: ChangeWatch): boolean {
    return this.hearsChanges && !since.concernsSessionsOf(visitor);
  }

  /** Whether what is told to all gets here just now. */
  get hearsChanges(): boolean {
    return this.control.healthy;
  }

  /** Drops an entry, to be read anew. */
  delete(hash: string): void {
    this.entries.delete(hash);
  }

  /**
   * One look-up at a time per session, shared by all who come meanwhile; one that was overtaken is made again. While
   * the bus is silent nobody can tell that, so each request makes its own.
   */
  private async load(hash: string): Promise<Visitor | null> {
    this.metrics.sessionCache.misses++;
    const shared = this.control.healthy ? this.flights.get(hash) : undefined;
    const flight = shared ?? this.takeOff(hash);
    const visitor = await flight.result;
    return visitor === null || !flight.watch.concerns(visitor) ? visitor : this.load(hash);
  }

  private takeOff(hash: string): Flight {
    const watch = this.watch();
    const flight: Flight = {
      watch,
      result: this.read(hash)
        .then((visitor) => this.keep(hash, visitor, flight))
        .finally(() => {
          if (this.flights.get(hash) === flight) this.flights.delete(hash);
          watch[Symbol.dispose]();
        }),
    };
    this.flights.set(hash, flight);
    return flight;
  }

  private async read(hash: string): Promise<Visitor | null> {
    if (this.slots.pendingCount >= MAX_WAITING) throw tooManyLookUps();
    const found = await this.slots(async () => {
      const principal = await this.sessions.find(hash);
      if (principal === null) return null;
      const { id } = principal.user;
      return {
        principal,
        location: await this.slices.locate(id),
        openUntil: await this.access.openUntil(id),
      };
    });
    if (found === null) return null;
    // Not in a slot: an OIDC provider may take its time, and others need none.
    const freshUntil = await this.providerSessions.keepFresh(found.principal);
    return visitorOf(found.principal, found.location, freshUntil, found.openUntil);
  }

  private keep(hash: string, visitor: Visitor | null, flight: Flight): Visitor | null {
    if (visitor === null || !this.isUnchanged(visitor, flight.watch)) return visitor;
    this.entries.set(hash, visitor);
    const { id } = visitor.principal.user;
    const hashes = this.hashesOf.get(id);
    if (hashes === undefined) this.hashesOf.set(id, new Set([hash]));
    else hashes.add(hash);
    return visitor;
  }

  private forget(userId: string): void {
    for (const watch of this.watches) watch.userChanged(userId);
    this.drop(userId);
  }

  private drop(userId: string): void {
    for (const hash of this.hashesOf.get(userId) ?? []) this.entries.delete(hash);
  }

  /** A message may have been lost, for what is kept and for what is being read. */
  private forgetAll(): void {
    for (const watch of this.watches) watch.anythingChanged();
    this.entries.clear();
  }

  private unindex(visitor: Visitor, hash: string): void {
    const { id } = visitor.principal.user;
    const hashes = this.hashesOf.get(id);
    hashes?.delete(hash);
    if (hashes?.size === 0) this.hashesOf.delete(id);
  }
}

function tooManyLookUps(): CoreError {
  return new CoreError(
    'DATABASE_UNAVAILABLE',
    'Too many sessions are being looked up just now. Please try again in a moment.',
    { retryAfterSeconds: BUSY_RETRY_SECONDS },
  );
}
