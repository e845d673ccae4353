import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AuditLog, Clock, CoreError } from '#common';
import { type ApiKey, Transactions } from '#database';
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
    private readonly transactions: Transactions,
    private readonly audit: AuditLog,
  ) {}

  /** Makes a key; this answer is the only one that shows it. */
  async generate(input: NewApiKeyInput): Promise<GeneratedApiKey> {
    const { name, worker_type: workerType, scopes = null, expires_in_days: days } = input;
    const [key, id, createdAt] = [newApiKey(), randomUUID(), this.clock.now()];
    const expiresAt = days === undefined ? null : new Date(createdAt.getTime() + days * DAY_MS);
    await this.transactions.run(async () => {
      await this.store.insert(key, { id, name, workerType, scopes, createdAt, expiresAt });
      const after = { name, workerType, scopes, expiresAt };
      await this.audit.record({ action: 'api_key.generate', target: { kind: 'apiKey', id }, after });
    });
    return { key, id, name, worker_type: workerType, note: "Save this key! It won't be shown again." };
  }

  async list(): Promise<ApiKeyView[]> {
    return (await this.store.list()).map((key) => this.viewOf(key));
  }

  /** @throws CoreError NOT_FOUND */
  async revoke(id: string): Promise<Revoked> {
    const found = await this.transactions.run(async () => {
      const revoked = await this.store.revoke(id);
      if (revoked) await this.audit.record({ action: 'api_key.revoke', target: { kind: 'apiKey', id } });
      return revoked;
    });
    // Only what is committed is revoked for this replica's cache to forget.
    this.store.forget(id);
    if (!found) throw notFound();
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
