import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { cutWhenStalled } from '../http/stalled-writes.js';
import { FrameBoundary } from './frame-boundary.js';

/** Whose WebSocket it is. */
export interface SocketOwner {
  /** The hash of the session that opened it; null: none did. */
  readonly sessionKey: string | null;
  /** When that session, or the token or API key that opened it, ends, as known at the upgrade; null: never. */
  readonly expiresAt: Date | null;
  /** The account whose session or token it was; null: none. */
  readonly userId: string | null;
  readonly apiKeyId: string | null;
  /** The slice it leads to; null: to something else. */
  readonly sliceId: number | null;
  /** Whose connections are counted together: the account, the API key, or the client's machine. */
  readonly countedAs: string;
}

/** Close codes of RFC 6455 §7.4.1. */
export const GOING_AWAY = 1001;
/** For the end of a session: the registered code for "not allowed (any more)", rather than one of our own making. */
export const POLICY_VIOLATION = 1008;

/** How long a client has to answer a close frame, in milliseconds; a logout must be effective within a second. */
const CLOSE_GRACE_MS = 500;

/** One upgraded connection, from the moment its upgrade was allowed. */
export class LiveSocket {
  /** When its owner's credential ends unless that is extended, in milliseconds since the epoch. */
  expiresAtMs: number;
  #upstream: Duplex | null = null;
  #boundary: FrameBoundary | null = null;
  #closing = false;

  constructor(
    readonly owner: SocketOwner,
    readonly client: Duplex,
    private readonly downloadIdleMs: number,
  ) {
    this.expiresAtMs = owner.expiresAt?.getTime() ?? Infinity;
  }

  /** Whether its owner's credential should have ended by now; another request may have extended a session. */
  isDue(nowMs: number): boolean {
    return this.expiresAtMs <= nowMs && !this.#closing;
  }

  /** The upgrade succeeded. Ties both ends, so that neither outlives the other. */
  connect(upstream: Duplex): void {
    const boundary = new FrameBoundary();
    this.#upstream = upstream;
    this.#boundary = boundary;
    // Only once the pipe is laid: a listener before it would set the stream flowing, and lose the first frames.
    this.client.once('pipe', () => upstream.on('data', (chunk: Buffer) => boundary.push(chunk)));
    upstream.on('close', () => this.#endClient());
    this.client.on('close', () => upstream.destroy());
    if (this.client.destroyed) upstream.destroy();
    else if (this.client instanceof Socket) cutWhenStalled(this.client, this.downloadIdleMs);
  }

  /**
   * Ends the connection, by a close frame where one may be written: between two frames of the upstream. Elsewhere it
   * would be read as part of a message, so there the socket is cut.
   */
  close(code: number): void {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#upstream === null || this.#boundary?.atBoundary !== true) {
      this.destroy();
      return;
    }
    this.#upstream.unpipe(this.client);
    this.#upstream.destroy();
    this.client.end(closeFrame(code));
    setTimeout(() => this.destroy(), CLOSE_GRACE_MS).unref();
  }

  destroy(): void {
    this.#upstream?.destroy();
    this.client.destroy();
  }

  /** What the upstream has sent is delivered before the client's side ends. */
  #endClient(): void {
    if (this.#closing) return;
    this.client.end(() => this.client.destroy());
  }
}

/** All upgraded connections of this gateway, to be found again when a session ends or the gateway stops. */
export class LiveSockets {
  readonly #sockets = new Set<LiveSocket>();
  readonly #ofOwner = new Tally();
  readonly #leadingTo = new Tally();
  readonly #downloadIdleMs: number;

  /** @param downloadIdleMs how long a client may take nothing that waits for it, in milliseconds */
  constructor(downloadIdleMs: number) {
    this.#downloadIdleMs = downloadIdleMs;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /**
   * Registers a connection until its client is gone.
   * @param leadsTo names the route or the slice
   */
  add(owner: SocketOwner, client: Duplex, leadsTo: string): LiveSocket {
    const live = new LiveSocket(owner, client, this.#downloadIdleMs);
    this.#sockets.add(live);
    this.#ofOwner.add(owner.countedAs);
    this.#leadingTo.add(leadsTo);
    client.once('close', () => {
      this.#sockets.delete(live);
      this.#ofOwner.remove(owner.countedAs);
      this.#leadingTo.remove(leadsTo);
    });
    return live;
  }

  /** How many connections are open of those who are counted so; upgrades under way are among them. */
  countOf(countedAs: string): number {
    return this.#ofOwner.of(countedAs);
  }

  /** The same of one route or slice. */
  countLeadingTo(leadsTo: string): number {
    return this.#leadingTo.of(leadsTo);
  }

  /** The sessions that have a connection open; of one user, or of all. */
  sessionKeys(userId?: string): Set<string> {
    const keys = new Set<string>();
    for (const { owner } of this.#sockets) {
      if (owner.sessionKey !== null && (userId === undefined || owner.userId === userId))
        keys.add(owner.sessionKey);
    }
    return keys;
  }

  /** The sessions that have a connection open and should have ended by now. */
  dueSessionKeys(nowMs: number): Set<string> {
    const due = new Set<string>();
    for (const live of this.#sockets) {
      if (live.owner.sessionKey !== null && live.isDue(nowMs)) due.add(live.owner.sessionKey);
    }
    return due;
  }

  /** Ends the connections whose token or API key has expired: nothing extends those. */
  closeExpired(nowMs: number): void {
    for (const live of this.#sockets) {
      if (live.owner.sessionKey === null && live.isDue(nowMs)) live.close(POLICY_VIOLATION);
    }
  }

  /** The session was extended, and its connections may stay open until then. */
  extendSession(sessionKey: string, expiresAt: Date): void {
    for (const live of this.#sockets) {
      if (live.owner.sessionKey === sessionKey) live.expiresAtMs = expiresAt.getTime();
    }
  }

  /** Ends every connection the session opened: it was signed out. */
  closeSession(sessionKey: string): void {
    this.closeWhere((owner) => owner.sessionKey === sessionKey);
  }

  /**
   * Ends every connection of the user: disabled, signed out everywhere, or the slice suspended.
   * @param exceptSessionKey the session that goes on, where only the others were signed out
   */
  closeUser(userId: string, exceptSessionKey?: string): void {
    this.closeWhere((owner) => owner.userId === userId && owner.sessionKey !== exceptSessionKey);
  }

  closeWhere(predicate: (owner: SocketOwner) => boolean, code: number = POLICY_VIOLATION): void {
    for (const live of this.#sockets) if (predicate(live.owner)) live.close(code);
  }

  /** Tells every client that the gateway goes away; resolves when all are gone, or cut at the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    const gone = [...this.#sockets].map(({ client }) => closed(client));
    const deadline = setTimeout(() => this.#destroyAll(), deadlineMs);
    this.closeWhere(() => true, GOING_AWAY);
    await Promise.all(gone);
    clearTimeout(deadline);
  }

  #destroyAll(): void {
    for (const live of this.#sockets) live.destroy();
  }
}

/** Counts by name, and keeps no name that nothing is counted under. */
class Tally {
  readonly #counts = new Map<string, number>();

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  add(name: string): void {
    this.#counts.set(name, this.of(name) + 1);
  }

  remove(name: string): void {
    const left = this.of(name) - 1;
    if (left > 0) this.#counts.set(name, left);
    else this.#counts.delete(name);
  }
}

/** Resolves when the socket is closed, whether by an error or not. */
function closed(client: Duplex): Promise<void> {
  return new Promise((resolve) => client.once('close', () => resolve()));
}

/** A close frame of a server: unmasked, with the status code alone (RFC 6455 §5.5.1). */
function closeFrame(code: number): Buffer {
  return Buffer.from([0x88, 0x02, code >> 8, code & 0xff]);
}
