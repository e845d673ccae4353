/** A NOTIFY to oneself is sent this often. */
const BEAT_EVERY_MS = 250;
/** What was told to all is known here, unless no beat sent within this time has come back. */
const FRESH_FOR_MS = 750;
/** A server that was silent for so long is given up. */
const GIVE_UP_AFTER_MS = 2000;

export interface HeartbeatEvents {
  /** Sends a beat; what it carries comes back to {@link Heartbeat.heard}. */
  send(payload: string): Promise<void>;
  /** A beat came back in time, for the first time or after a silence. */
  onFresh(): void;
  /** They have not come back for so long that another connection is to be tried. */
  onGivenUp(): void;
}

/**
 * Tells whether notifications get through. A connection can stand and be dead: a frozen backend went unnoticed for
 * five seconds. Notifications come in the order of their commits, so when a beat is heard, everything that was told
 * before that beat was sent has been heard as well; freshness is therefore counted from its sending. The time is the
 * monotonic one: a wall clock that is set back would keep a silent connection fresh.
 */
export class Heartbeat {
  private timer: NodeJS.Timeout | undefined;
  private heardSentAt = -Infinity;
  private startedAt = -Infinity;
  private lastTick = -Infinity;
  private sending = false;
  private trusted = false;

  constructor(private readonly events: HeartbeatEvents) {}

  get fresh(): boolean {
    return this.trusted && performance.now() - this.heardSentAt <= FRESH_FOR_MS;
  }

  start(): void {
    this.stop();
    this.startedAt = performance.now();
    this.lastTick = this.startedAt;
    this.timer = setInterval(() => this.tick(), BEAT_EVERY_MS).unref();
    this.beat();
  }

  stop(): void {
    clearInterval(this.timer);
    this.heardSentAt = -Infinity;
    this.trusted = false;
  }

  heard(payload: string): void {
    this.heardSentAt = Number(payload);
    if (this.trusted || performance.now() - this.heardSentAt > FRESH_FOR_MS) return;
    this.events.onFresh();
    this.trusted = true;
  }

  private tick(): void {
    const now = performance.now();
    // If this process itself stood still, the answer may lie in the socket: it has until the next tick.
    const stalled = now - this.lastTick > 2 * BEAT_EVERY_MS;
    this.lastTick = now;
    const silentFor = now - Math.max(this.heardSentAt, this.startedAt);
    if (!stalled && silentFor > FRESH_FOR_MS) this.trusted = false;
    if (!stalled && silentFor > GIVE_UP_AFTER_MS) this.events.onGivenUp();
    else this.beat();
  }

  private beat(): void {
    if (this.sending) return;
    this.sending = true;
    this.events
      .send(String(performance.now()))
      .catch(() => undefined) // the loss of the session is seen by its owner
      .finally(() => {
        this.sending = false;
      });
  }
}
