import { Injectable } from '@nestjs/common';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { LRUCache } from 'lru-cache';
import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import { AuthError } from '#common';
import { kindOfHash, verifyHash } from './foreign-hashes.js';

/**
 * Bounds of the work: each hash holds 19 MiB and a thread of libuv's four, which the file system and DNS need as well.
 * Injected by this class, so that tests can narrow them.
 */
export class PasswordHasherOptions {
  /** Hashes computed at once. */
  readonly concurrency: number = Math.min(3, availableParallelism());
  /** Hashes that may wait: about two seconds of work. Beyond it the caller is told to come back. */
  readonly queue: number = 100;
  /** Of these, places for networks whose last password was wrong. */
  readonly suspects: number = 50;
  /**
   * What a hash costs: the parameters of the OWASP Password Storage Cheat Sheet for argon2id, 19 MiB, two passes, one
   * lane. argon2id is the library's default algorithm; salt and length are its defaults too, 16 and 32 bytes.
   */
  readonly cost: PasswordCost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
}

/** Memory in KiB, passes, lanes. */
export interface PasswordCost {
  readonly memoryCost: number;
  readonly timeCost: number;
  readonly parallelism: number;
}

/** Of so many the last password is remembered to have been wrong: those that tried last. */
const SUSPECTS_KEPT = 10_000;

/** Stores and checks passwords. */
@Injectable()
export class PasswordHasher {
  private readonly limit;
  /** No password has it: what is hashed is longer than a password may be. */
  private readonly nobodys: Promise<string>;
  /** Networks whose last password was wrong. */
  private readonly suspects = new LRUCache<string, true>({ max: SUSPECTS_KEPT });

  constructor(private readonly options: PasswordHasherOptions) {
    this.limit = pLimit(options.concurrency);
    this.nobodys = hash('nobody'.repeat(100), options.cost);
    // A failure is the one who awaits it's to see; unawaited it must not end the process.
    this.nobodys.catch(() => undefined);
  }

  /**
   * A PHC string to store.
   * @throws AuthError LOGIN_BUSY
   */
  hash(password: string): Promise<string> {
    return this.bounded(() => hash(password, this.options.cost));
  }

  /**
   * Whether the password is the one that was hashed, by us or elsewhere ({@link kindOfHash}). Without a hash (unknown
   * e-mail, account without a password), and beside one that costs nothing, one of ours is verified nevertheless, so
   * that the time does not tell whether the account exists.
   *
   * An imported bcrypt hash takes its own time, several times that of ours, until its owner has signed in once: whoever
   * measures can tell that such an account exists. Nothing could hide that but slowing down every failed sign-in to
   * the slowest kind; a reset of the password ends it as well.
   *
   * Networks whose last password was wrong may take part of the queue only. So a flood of wrong ones, which fills that
   * part, leaves room for the others: to keep them out it needs a network that is new for each of its tries.
   * @param network where a stranger asks from
   * @throws AuthError LOGIN_BUSY
   */
  async verify(password: string, stored: string | null, network?: string): Promise<boolean> {
    const isSuspect = network !== undefined && this.suspects.has(network);
    const matches = await this.bounded(
      async () => {
        if (stored === null || !takesTime(stored)) await verify(await this.nobodys, password);
        return stored !== null && (await verifyHash(password, stored));
      },
      isSuspect ? this.options.suspects : this.options.queue,
    );
    if (network !== undefined) this.remember(network, matches);
    return matches;
  }

  /** Whether a hash was made in another way than ours, or with other parameters than today's. */
  isOutdated(stored: string): boolean {
    if (kindOfHash(stored) !== 'argon2' || !stored.startsWith('$argon2id$')) return true;
    const { memoryCost, timeCost, parallelism } = parseOptions(stored);
    const { cost } = this.options;
    return memoryCost !== cost.memoryCost || timeCost !== cost.timeCost || parallelism !== cost.parallelism;
  }

  private remember(network: string, matched: boolean): void {
    if (matched) this.suspects.delete(network);
    else this.suspects.set(network, true);
  }

  /** @param places how many may wait, this one included */
  private bounded<T>(work: () => Promise<T>, places = this.options.queue): Promise<T> {
    if (this.limit.pendingCount >= places) {
      throw new AuthError(
        'LOGIN_BUSY',
        'Too many people are signing in right now. Please try again shortly.',
        {
          retryAfterSeconds: 2,
        },
      );
    }
    return this.limit(work);
  }
}

function takesTime(stored: string): boolean {
  const kind = kindOfHash(stored);
  return kind === 'argon2' || kind === 'bcrypt';
}
