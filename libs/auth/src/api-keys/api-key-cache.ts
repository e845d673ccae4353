import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock, SecretBox } from '#common';
import { API_KEY_MAC, type ApiKey, ControlConnection } from '#database';
import type { ApiKeyPrincipal } from '../principals/principal.js';
import { isApiKey } from './api-key.js';
import { ApiKeyRevocations } from './api-key-revocations.js';
import { ApiKeyStore } from './api-key-store.js';

const CAPACITY = 10_000;

interface Entry {
  readonly principal: ApiKeyPrincipal;
  readonly expiresAtMs: number;
}

/**
 * Key → principal, so that a worker's request costs no query. Entries are dropped by the bus; while it is silent
 * nothing is kept and nothing is used. What is kept is named by the keyed hash: no key stays in memory.
 */
@Injectable()
export class ApiKeyCache implements OnModuleInit {
  private readonly entries = new LRUCache<string, Entry>({ max: CAPACITY });
  /** Moves with every revocation: a look-up that was overtaken by one is not kept. */
  private epoch = 0;

  constructor(
    private readonly store: ApiKeyStore,
    private readonly revocations: ApiKeyRevocations,
    private readonly control: ControlConnection,
    private readonly box: SecretBox,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.revocations.subscribe((id) => this.forget(id));
    this.control.onRestored(() => this.forgetAll());
  }

  /** Who sends this key; null when it is none, or none any more. */
  async find(key: string): Promise<ApiKeyPrincipal | null> {
    if (!isApiKey(key)) return null;
    const name = this.box.mac(API_KEY_MAC, key).toString('base64');
    const entry = (this.control.healthy ? this.entries.get(name) : undefined) ?? (await this.load(key, name));
    return entry !== null && entry.expiresAtMs > this.clock.nowMs() ? entry.principal : null;
  }

  /** Anew where a revocation came meanwhile: it may have been this key's. */
  private async load(key: string, name: string): Promise<Entry | null> {
    for (;;) {
      const { epoch } = this;
      const row = await this.store.find(key);
      if (row === null || row.revokedAt !== null) return null;
      if (this.epoch !== epoch) continue;
      const entry = entryOf(row);
      if (this.control.healthy) this.entries.set(name, entry);
      return entry;
    }
  }

  private forget(id: string): void {
    this.epoch++;
    for (const [name, { principal }] of this.entries.entries()) {
      if (principal.id === id) this.entries.delete(name);
    }
  }

  private forgetAll(): void {
    this.epoch++;
    this.entries.clear();
  }
}

function entryOf({ id, name, workerType, scopes, expiresAt }: ApiKey): Entry {
  const principal: ApiKeyPrincipal = { kind: 'apiKey', id, name, workerType, scopes, expiresAt };
  return { principal, expiresAtMs: expiresAt?.getTime() ?? Infinity };
}
