import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { SessionRevocations, SessionStore } from '#auth';
import { Clock } from '#common';
import { ControlConnection } from '#database';
import { SliceDirectory } from '#orchestrator';
import { visitorOf, type Visitor } from './visitor.js';

const CAPACITY = 50_000;

/** A look-up under way, and whom it was overtaken by: what it read of those users may be out of date. */
interface Flight {
  readonly overtakenBy: Set<string>;
  readonly result: Promise<Visitor | null>;
}

/**
 * Session hash → visitor, so that a proxied request costs no query. Entries are dropped by the bus: at a revocation of
 * the user's sessions and at a change of their slice. While the bus is silent nothing is kept and nothing is used, so
 * a message that is lost can't let anybody in.
 */
@Injectable()
export class VisitorCache implements OnModuleInit {
  private readonly entries = new LRUCache<string, Visitor>({
    max: CAPACITY,
    dispose: (visitor, hash) => this.unindex(visitor, hash),
  });
  private readonly hashesOf = new Map<string, Set<string>>();
  private readonly flights = new Map<string, Flight>();

  constructor(
    private readonly sessions: SessionStore,
    private readonly slices: SliceDirectory,
    private readonly revocations: SessionRevocations,
    private readonly control: ControlConnection,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.revocations.subscribe(({ userId }) => this.forget(userId));
    this.slices.onChange((ownerIds) => ownerIds.forEach((ownerId) => this.forget(ownerId)));
    this.control.onRestored(() => this.entries.clear());
  }

  /** The visitor if it is known here and now; an expired session is unknown, and looked up again. */
  get(hash: string): Visitor | undefined {
    if (!this.control.healthy) return undefined;
    const visitor = this.entries.get(hash);
    return visitor !== undefined && visitor.principal.expiresAt.getTime() > this.clock.nowMs()
      ? visitor
      : undefined;
  }

  /**
   * The visitor of a session; null when it is none (any more).
   * @throws what the session store throws
   */
  async find(hash: string): Promise<Visitor | null> {
    return this.get(hash) ?? (await this.load(hash));
  }

  /** Drops an entry, to be read anew. */
  delete(hash: string): void {
    this.entries.delete(hash);
  }

  /** One look-up at a time per session; whoever comes meanwhile shares it, unless it was overtaken. */
  private async load(hash: string): Promise<Visitor | null> {
    let flight = this.flights.get(hash);
    if (flight === undefined || flight.overtakenBy.size > 0) {
      flight = this.takeOff(hash);
    }
    const visitor = await flight.result;
    if (visitor === null || !flight.overtakenBy.has(visitor.principal.user.id)) return visitor;
    return this.load(hash);
  }

  private takeOff(hash: string): Flight {
    const overtakenBy = new Set<string>();
    const flight: Flight = {
      overtakenBy,
      result: this.read(hash)
        .then((visitor) => this.keep(hash, visitor, overtakenBy))
        .finally(() => {
          if (this.flights.get(hash) === flight) this.flights.delete(hash);
        }),
    };
    this.flights.set(hash, flight);
    return flight;
  }

  private async read(hash: string): Promise<Visitor | null> {
    const principal = await this.sessions.find(hash);
    if (principal === null) return null;
    return visitorOf(principal, await this.slices.locate(principal.user.id), this.clock.nowMs());
  }

  private keep(hash: string, visitor: Visitor | null, overtakenBy: ReadonlySet<string>): Visitor | null {
    if (visitor === null || !this.control.healthy || overtakenBy.has(visitor.principal.user.id))
      return visitor;
    this.entries.set(hash, visitor);
    const { id } = visitor.principal.user;
    const hashes = this.hashesOf.get(id);
    if (hashes === undefined) this.hashesOf.set(id, new Set([hash]));
    else hashes.add(hash);
    return visitor;
  }

  private forget(userId: string): void {
    for (const flight of this.flights.values()) flight.overtakenBy.add(userId);
    for (const hash of [...(this.hashesOf.get(userId) ?? [])]) this.entries.delete(hash);
  }

  private unindex(visitor: Visitor, hash: string): void {
    const { id } = visitor.principal.user;
    const hashes = this.hashesOf.get(id);
    hashes?.delete(hash);
    if (hashes?.size === 0) this.hashesOf.delete(id);
  }
}
