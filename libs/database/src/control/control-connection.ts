import type { LoggerService } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type ClientConfig, escapeIdentifier } from 'pg';
import { DataDirInUse } from '../embedded/data-dir-claim.js';
import { AdvisoryLocks, type AcquireOptions, type Lock } from './advisory-locks.js';
import { ControlSession } from './control-session.js';
import { controlUnavailable } from './control-unavailable.js';
import type { DataDirClaim } from './data-dir-claim.js';
import { Heartbeat } from './heartbeat.js';
import { type NotificationHandler, Subscriptions } from './subscriptions.js';

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 1000;

export interface ControlConnectionOptions {
  /** Straight to PostgreSQL: a transaction pooler would lose locks and LISTEN. */
  connection: ClientConfig;
  logger: LoggerService;
  /** What every session has to hold before it is healthy. */
  claim?: DataDirClaim | null;
}

/**
 * The gateway's one connection outside the pool: for notifications, all advisory locks and elections. Apart, because
 * locks held on pooled connections once took the whole pool, and a login hung.
 *
 * For a cache to be right: listen to what revokes, and drop what it concerns; don't keep what was being read meanwhile,
 * but read it again; neither use nor fill it unless {@link healthy}; clear it in {@link onRestored}.
 */
export class ControlConnection {
  readonly logger: LoggerService;
  private readonly connection: ClientConfig;
  private readonly subscriptions: Subscriptions;
  private readonly locks = new AdvisoryLocks(() => this.requireSession());
  private readonly heartbeat: Heartbeat;
  /** Its own: the beats of other gateways are of no use. */
  private readonly heartbeatChannel = `sluice_heartbeat_${randomBytes(8).toString('hex')}`;
  private readonly restored = new Set<() => void>();
  private readonly claim: DataDirClaim | null;
  private readonly stopping = new AbortController();
  private session: ControlSession | null = null;
  private keeping: Promise<void> = Promise.resolve();

  constructor({ connection, logger, claim = null }: ControlConnectionOptions) {
    this.connection = connection;
    this.claim = claim;
    this.logger = logger;
    this.subscriptions = new Subscriptions(logger);
    this.subscriptions.add(this.heartbeatChannel, (payload) => this.heartbeat.heard(payload));
    this.heartbeat = new Heartbeat({
      send: (payload) => this.send(this.heartbeatChannel, payload, { urgent: true }),
      onFresh: () => this.callRestored(),
      onGivenUp: () => this.session?.abandon(new Error('PostgreSQL does not answer')),
    });
  }

  /**
   * Connects, and from then on keeps connected.
   * @throws Error of pg or Node when the first attempt fails
   * @throws DataDirInUse when another gateway has what is to be claimed
   */
  async start(): Promise<void> {
    const session = await this.open();
    this.keeping = this.keep(session);
  }

  /** Frees every lock and closes. Resolves when nothing of it is left. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('The control connection was stopped'));
    await this.session?.close();
    await this.keeping;
  }

  /** Whether notifications get through now: what was told to all more than 750 ms ago has been heard. */
  get healthy(): boolean {
    return this.heartbeat.fresh;
  }

  /** Calls back whenever it becomes healthy, just before: every LISTEN is in force, and some notifications may be lost. */
  onRestored(callback: () => void): () => void {
    this.restored.add(callback);
    return () => this.restored.delete(callback);
  }

  /**
   * Takes the lock if nobody has it, in this process or another.
   * @throws CoreError DATABASE_UNAVAILABLE
   */
  async tryLock(key: string): Promise<Lock | null> {
    return this.locks.tryLock(key);
  }

  /**
   * Waits for the lock; within this process who asked first gets it first.
   * @throws CoreError DATABASE_UNAVAILABLE
   * @throws the signal's reason, or a DOMException named TimeoutError
   */
  async acquire(key: string, options?: AcquireOptions): Promise<Lock> {
    return this.locks.acquire(key, options);
  }

  /**
   * Calls the handler with each notification of the channel, in the order of their commits, until the function given
   * is called. Resolves when it is in force; without a connection it will be before `healthy` is true again.
   */
  async listen(channel: string, handler: NotificationHandler): Promise<() => void> {
    const first = this.subscriptions.add(channel, handler);
    if (first) await this.session?.query(`LISTEN ${escapeIdentifier(channel)}`).catch(ignoreLoss);
    return () => {
      const last = this.subscriptions.remove(channel, handler);
      if (last) this.session?.query(`UNLISTEN ${escapeIdentifier(channel)}`).catch(ignoreLoss);
    };
  }

  /**
   * Tells all replicas, this one too. Resolves when the server has it.
   * @throws CoreError DATABASE_UNAVAILABLE when it could not be sent, or nobody knows whether it was
   */
  async notify(channel: string, payload = ''): Promise<void> {
    await this.send(channel, payload);
  }

  private async send(channel: string, payload: string, options?: { urgent: boolean }): Promise<void> {
    await this.requireSession().query('SELECT pg_notify($1, $2)', [channel, payload], options);
  }

  private requireSession(): ControlSession {
    if (this.session === null) throw controlUnavailable(this.stopping.signal.reason);
    return this.session;
  }

  /** Opens a session, listens and claims again, and starts the heartbeat, whose first return makes it healthy. */
  private async open(): Promise<ControlSession> {
    const session = await ControlSession.open(this.connection, (channel, payload) => {
      if (this.session === session) this.subscriptions.dispatch(channel, payload);
    });
    // In force from here on, so that a `listen` called meanwhile is not missed.
    this.session = session;
    session.lost.addEventListener('abort', () => this.lose(session), { once: true });
    try {
      await Promise.all(
        this.subscriptions.channels.map((each) => session.query(`LISTEN ${escapeIdentifier(each)}`)),
      );
      await this.claim?.take(session);
    } catch (error) {
      session.abandon(error);
      this.session = null;
      throw error;
    }
    this.heartbeat.start();
    return session;
  }

  private lose(session: ControlSession): void {
    this.session = null;
    this.heartbeat.stop();
    this.locks.abortAll(session.lost.reason);
  }

  private async keep(session: ControlSession): Promise<void> {
    for (let current = session; ;) {
      if (!current.lost.aborted) await once(current.lost, 'abort');
      if (this.stopping.signal.aborted) return;
      this.logger.warn(`The control connection was lost: ${String(current.lost.reason)}`);
      const next = await this.reopen();
      if (next === null) return;
      current = next;
      this.logger.log('The control connection stands again');
    }
  }

  private async reopen(): Promise<ControlSession | null> {
    const { signal } = this.stopping;
    for (let pause = FIRST_RETRY_MS; ; pause = Math.min(pause * 2, LONGEST_RETRY_MS)) {
      await delay(pause, undefined, { ref: false, signal }).catch(() => undefined);
      if (signal.aborted) return null;
      try {
        const session = await this.open();
        if (!signal.aborted) return session;
        await session.close();
        return null;
      } catch (error) {
        if (error instanceof DataDirInUse) {
          this.claim?.onTaken(error);
          return null;
        }
        // Tried again; that the connection is lost has been logged.
      }
    }
  }

  private callRestored(): void {
    for (const callback of this.restored) {
      try {
        callback();
      } catch (error) {
        this.logger.error(error);
      }
    }
  }
}

/** Every channel is listened to again with the next session. */
function ignoreLoss(): void {}
