import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Clock } from '#common';
import { SettingsInForce } from '#config';
import { ControlConnection } from '#database';
import { Backends } from './backends.js';
import { BackendProber } from './backend-prober.js';
import { Pool } from './pool.js';
import { definePools, type PoolDefinition, type StoredPool, watchedUrls } from './pool-definitions.js';
import { POOL_CHANGED, PoolStore } from './pool-store.js';
import { SingleTarget } from './single-target.js';
import type { Target } from './target.js';

/** What a read that failed has missed is made up for by then. */
const REREAD_MS = 60_000;

/**
 * Every pool, live: those of config.yml and those of the database, put together anew whenever one of them changes, on
 * every replica.
 */
@Injectable()
export class Pools implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(Pools.name);
  private readonly byName = new Map<string, Pool>();
  private stored: readonly StoredPool[] = [];
  private defined: readonly PoolDefinition[] = [];
  private reading: Promise<void> | null = null;
  private readingNext: Promise<void> | null = null;
  private readonly endings: Array<() => void> = [];

  constructor(
    private readonly settings: SettingsInForce,
    private readonly store: PoolStore,
    private readonly backends: Backends,
    private readonly prober: BackendProber,
    private readonly control: ControlConnection,
    private readonly clock: Clock,
  ) {}

  /** @throws what the database throws: a gateway that does not know its pools must not start */
  async onModuleInit(): Promise<void> {
    this.endings.push(
      this.settings.onChange(() => this.apply()),
      this.control.onRestored(() => this.reread()),
      await this.control.listen(POOL_CHANGED, () => this.reread()),
    );
    await this.refresh();
  }

  async onModuleDestroy(): Promise<void> {
    for (const end of this.endings) end();
    await Promise.allSettled([this.reading, this.readingNext]);
  }

  /** The pool of this name, for good: empty while there is none, and filled when there is one. */
  get(name: string): Pool {
    const known = this.byName.get(name);
    if (known !== undefined) return known;
    const pool = new Pool(name, this.clock);
    this.byName.set(name, pool);
    return pool;
  }

  /** The one server at an URL; null where the URL is not set. */
  single(url: string | null): Target {
    return new SingleTarget(url, this.backends);
  }

  /** Every pool there is now, sorted by name. */
  get definitions(): readonly PoolDefinition[] {
    return this.defined;
  }

  /** Reads the database. Resolves when what it held at the call is in force here. */
  async refresh(): Promise<void> {
    if (this.reading === null) {
      this.reading = this.read().finally(() => {
        this.reading = null;
      });
      await this.reading;
      return;
    }
    // The read under way may have begun before what the caller knows of; one more serves all who come meanwhile.
    this.readingNext ??= this.reading
      .catch(() => undefined)
      .then(() => {
        this.readingNext = null;
        return this.refresh();
      });
    await this.readingNext;
  }

  @Interval(REREAD_MS)
  protected reread(): void {
    this.refresh().catch((error: unknown) => {
      this.logger.warn({ err: error }, 'the pools could not be read; those known so far stay');
    });
  }

  private async read(): Promise<void> {
    this.stored = await this.store.all();
    this.apply();
  }

  /** In one step: no request sees half of it. */
  private apply(): void {
    const { current } = this.settings;
    this.defined = definePools(current.pools, this.stored);
    const toProbe = this.backends.replace(watchedUrls(current, this.defined));
    const filled = new Set<string>();
    for (const { name, backends } of this.defined) {
      filled.add(name);
      this.get(name).replace(backends.flatMap(({ url }) => this.backends.get(url) ?? []));
    }
    for (const [name, pool] of this.byName) if (!filled.has(name)) pool.replace([]);
    for (const backend of toProbe) void this.prober.probe(backend);
  }
}
