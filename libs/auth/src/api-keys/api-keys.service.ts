import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { Clock, CoreError } from '#common';
import type { ApiKey } from '#database';
import { isApiKey, newApiKey, previewOf } from './api-key.js';
import { ApiKeyStore } from './api-key-store.js';
import type { ApiKeyView, GeneratedApiKey, NewApiKeyInput, Revoked } from './schemas.js';

const DAY_MS = 24 * 3_600_000;

/** Makes, lists and revokes API keys. */
@Injectable()
export class ApiKeysService {
  constructor(
    private readonly store: ApiKeyStore,
    private readonly clock: Clock,
  ) {}

  /** Makes a key; this answer is the only one that shows it. */
  async generate(input: NewApiKeyInput): Promise<GeneratedApiKey> {
    const { name, worker_type: workerType, scopes = null, expires_in_days: days } = input;
    const [key, id, createdAt] = [newApiKey(), randomUUID(), this.clock.now()];
    const expiresAt = days === undefined ? null : new Date(createdAt.getTime() + days * DAY_MS);
    await this.store.insert(key, { id, name, workerType, scopes, createdAt, expiresAt });
    return { key, id, name, worker_type: workerType, note: "Save this key! It won't be shown again." };
  }

  async list(): Promise<ApiKeyView[]> {
    return (await this.store.list()).map((key) => this.viewOf(key));
  }

  /** @throws CoreError NOT_FOUND */
  async revoke(id: string): Promise<Revoked> {
    if (!(await this.store.revoke(id))) throw notFound();
    return { status: 'revoked' };
  }

  /** @throws CoreError NOT_FOUND */
  async revokeKey(key: string): Promise<Revoked> {
    const row = isApiKey(key) ? await this.store.find(key) : null;
    if (row === null) throw notFound();
    return this.revoke(row.id);
  }

  private viewOf(key: ApiKey): ApiKeyView {
    const revealed = this.store.reveal(key);
    const expired = key.expiresAt !== null && key.expiresAt <= this.clock.now();
    return {
      id: key.id,
      key_preview: revealed === null ? 'unreadable' : previewOf(revealed),
      name: key.name,
      worker_type: key.workerType,
      scopes: key.scopes,
      created_at: key.createdAt.toISOString(),
      expires_at: key.expiresAt?.toISOString() ?? null,
      last_used_at: key.lastUsedAt?.toISOString() ?? null,
      request_count: key.requestCount,
      enabled: revealed !== null && key.revokedAt === null && !expired,
    };
  }
}

function notFound(): CoreError {
  return new CoreError('NOT_FOUND', 'There is no such API key.');
}
