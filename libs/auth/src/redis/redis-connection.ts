import { setImmediate as turnOfTheLoop, setTimeout as wait } from 'node:timers/promises';
import { Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { AuthError } from '#common';

/** A server that is on the same network answers in far less, or it is not there. */
const CONNECT_TIMEOUT_MS = 1000;
const RETRY_MS = 250;
const BEAT_MS = 250;
/** A server that is silent for so long counts as lost: whoever waits for it is told so within {@link BEAT_MS} more. */
const SILENCE_MS = 750;
/** Commands under way to a server that has just fallen silent; those beyond are refused at once. */
const MAX_PENDING = 10_000;
const RETRY_AFTER_SECONDS = 1;

export type RedisClient = Awaited<ReturnType<typeof newClient>>;

/**
 * The gateway's one connection to Redis (`REDIS_URL`). While it is lost every command fails at once, none is kept for
 * later: a request is answered now, or is told to come back. It notices a server that has frozen as well as one that
 * is gone, and connects again by itself.
 */
export class RedisConnection implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(RedisConnection.name);
  private readonly stopping = new AbortController();
  /** Host and port alone: the URL may hold a password. */
  private readonly place: string;
  private client: RedisClient | null = null;
  private trouble: unknown = new Error('not connected yet');
  private isLost = false;
  private keeping: Promise<void> = Promise.resolve();

  /** @param url `redis://user:password@host:6379/0`, or `rediss://…` */
  constructor(private readonly url: string) {
    this.place = new URL(url).host;
  }

  /** Whether it stands, as far as is known. */
  get isReady(): boolean {
    return this.client !== null;
  }

  /**
   * Resolves after the first attempt, however it ended: a gateway whose Redis is away starts all the same, so that it
   * can say so, and serve what needs no session.
   */
  async onModuleInit(): Promise<void> {
    this.keeping = this.keep(await this.connect());
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.keeping;
  }

  /**
   * Gives the client to a command.
   * @throws AuthError SESSION_STORE_UNAVAILABLE whatever goes wrong: nobody knows then whether it was done
   */
  async run<T>(command: (client: RedisClient) => Promise<T>): Promise<T> {
    const { client } = this;
    if (client === null) throw unavailable(this.trouble);
    try {
      return await command(client);
    } catch (error) {
      throw unavailable(error);
    }
  }

  private async keep(first: RedisClient | null): Promise<void> {
    const { signal } = this.stopping;
    for (let client = first; ; client = await this.connect()) {
      if (client === null) await wait(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      else await this.holdUntilLost(client);
      if (signal.aborted) return;
    }
  }

  private async connect(): Promise<RedisClient | null> {
    const client = await newClient(this.url);
    const deadline = AbortSignal.any([this.stopping.signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
    const giveUp = (): void => client.destroy();
    deadline.addEventListener('abort', giveUp, { once: true });
    try {
      // Also waits for the first answer: a frozen server still takes connections.
      await client.connect();
      this.found();
      return client;
    } catch (error) {
      client.destroy();
      if (!this.stopping.signal.aborted) this.lose(deadline.aborted ? new Error('no answer') : error);
      return null;
    } finally {
      deadline.removeEventListener('abort', giveUp);
    }
  }

  private async holdUntilLost(client: RedisClient): Promise<void> {
    const { signal } = this.stopping;
    const lost = new AbortController();
    client.once('error', (error: unknown) => lost.abort(error));
    const ended = AbortSignal.any([signal, lost.signal]);
    this.client = client;
    try {
      while (!ended.aborted) await heartbeat(client, ended);
    } catch (error) {
      if (!signal.aborted) this.lose(lost.signal.aborted ? lost.signal.reason : error);
    } finally {
      this.client = null;
      client.destroy();
    }
  }

  private found(): void {
    if (this.isLost) this.logger.log(`Redis at ${this.place} answers again`);
    this.isLost = false;
  }

  private lose(error: unknown): void {
    this.trouble = error;
    if (this.isLost) return;
    this.isLost = true;
    this.logger.error(
      { err: error },
      `Redis at ${this.place} can not be used; until it can, nobody can sign in, and whoever is not known here is ` +
        'answered 503. Check that it runs and is reachable, and that REDIS_URL has the right host, port and password. ' +
        'It is tried again all the time.',
    );
  }
}

async function newClient(url: string) {
  // Only where there is a Redis: it is a tenth of what the gateway loads.
  const { createClient } = await import('@redis/client');
  const client = createClient({
    url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_PENDING,
    maintNotifications: 'disabled',
    // Its own ways to connect again do not notice a frozen server.
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false },
  });
  // Without a listener the process would end; what is to be done stands in `connect` and `holdUntilLost`.
  client.on('error', () => undefined);
  return client;
}

/** Waits a beat, then for a sign of life. @throws Error when there was none */
async function heartbeat(client: RedisClient, ended: AbortSignal): Promise<void> {
  await wait(BEAT_MS, undefined, { signal: ended, ref: false });
  await Promise.race([client.ping(), silence(ended)]);
}

/** After a stall of our own the answer lies in the socket already: the loop reads it before this rejects. */
async function silence(ended: AbortSignal): Promise<never> {
  await wait(SILENCE_MS, undefined, { signal: ended, ref: false });
  await turnOfTheLoop();
  throw new Error(`no answer for ${SILENCE_MS} ms`);
}

function unavailable(cause: unknown): AuthError {
  return new AuthError(
    'SESSION_STORE_UNAVAILABLE',
    'Sessions can not be read or written just now. Please try again in a moment.',
    { cause, retryAfterSeconds: RETRY_AFTER_SECONDS },
  );
}
