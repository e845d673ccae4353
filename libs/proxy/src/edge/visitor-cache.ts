import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { SessionRevocations, SessionStore } from '#auth';
import { Clock } from '#common';
import { ControlConnection } from '#database';
import { SliceDirectory } from '#orchestrator';
import { visitorOf, type Visitor } from './visitor.js';

const CAPACITY = 50_000;

/** A look-up under way, and what overtook it. */
interface Flight {
  /** Users of whom something changed meanwhile: what it read of them may be out of date. */
  readonly overtakenBy: Set<string>;
  /** The bus was silent meanwhile: whatever it read may be out of date. */
  stale: boolean;
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
  /** The latest look-up of each session, for others to join. */
  private readonly flights = new Map<string, Flight>();
  /** Every look-up under way, also those that another has taken the place of. */
  private readonly airborne = new Set<Flight>();

  constructor(
    private readonly sessions: SessionStore,
    private readonly slices: SliceDirectory,
    private readonly revocations: SessionRevocations,
    private readonly control: ControlConnection,
    private readonly clock: Clock,
  ) {}

  async onModuleInit(): Promise<void> {
    this.revocations.subscribe(({ userId }) => this.forget(userId));
    this.control.onRestored(() => this.forgetAll());
    await this.slices.onChange((ownerIds) => ownerIds.forEach((ownerId) => this.forget(ownerId)));
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

  /**
   * One look-up at a time per session, shared by all who come meanwhile; one that was overtaken is made again. While
   * the bus is silent nobody can tell that, so each request makes its own.
   */
  private async load(hash: string): Promise<Visitor | null> {
    const shared = this.control.healthy ? this.flights.get(hash) : undefined;
    const flight = shared ?? this.takeOff(hash);
    const visitor = await flight.result;
    return visitor === null || !isOvertaken(flight, visitor) ? visitor : this.load(hash);
  }

  private takeOff(hash: string): Flight {
    const flight: Flight = {
      overtakenBy: new Set(),
      stale: false,
      result: this.read(hash)
        .then((visitor) => this.keep(hash, visitor, flight))
        .finally(() => {
          if (this.flights.get(hash) === flight) this.flights.delete(hash);
          this.airborne.delete(flight);
        }),
    };
    this.flights.set(hash, flight);
    this.airborne.add(flight);
    return flight;
  }

  private async read(hash: string): Promise<Visitor | null> {
    const principal = await this.sessions.find(hash);
    if (principal === null) return null;
    return visitorOf(principal, await this.slices.locate(principal.user.id), this.clock.nowMs());
  }

  private keep(hash: string, visitor: Visitor | null, flight: Flight): Visitor | null {
    if (visitor === null || !this.control.healthy || isOvertaken(flight, visitor)) return visitor;
    this.entries.set(hash, visitor);
    const { id } = visitor.principal.user;
    const hashes = this.hashesOf.get(id);
    if (hashes === undefined) this.hashesOf.set(id, new Set([hash]));
    else hashes.add(hash);
    return visitor;
  }

  private forget(userId: string): void {
    for (const flight of this.airborne) flight.overtakenBy.add(userId);
    for (const hash of this.hashesOf.get(userId) ?? []) this.entries.delete(hash);
  }

  /** A message may have been lost, for what is kept and for what is being read. */
  private forgetAll(): void {
    for (const flight of this.airborne) flight.stale = true;
    this.entries.clear();
  }

  private unindex(visitor: Visitor, hash: string): void {
    const { id } = visitor.principal.user;
    const hashes = this.hashesOf.get(id);
    hashes?.delete(hash);
    if (hashes?.size === 0) this.hashesOf.delete(id);
  }
}

function isOvertaken(flight: Flight, visitor: Visitor): boolean {
  return flight.stale || flight.overtakenBy.has(visitor.principal.user.id);
}
