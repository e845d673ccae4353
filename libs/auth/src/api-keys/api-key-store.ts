import { Injectable, Logger } from '@nestjs/common';
import { In } from 'typeorm';
import { Clock, sameSecret, SecretBox } from '#common';
import { API_KEY_MAC, ApiKey, Transactions } from '#database';
import { API_KEY_REVOKED, ApiKeyRevocations } from './api-key-revocations.js';

/** API keys in the database: the key itself sealed for its row, and found by a keyed hash. */
@Injectable()
export class ApiKeyStore {
  private readonly logger = new Logger(ApiKeyStore.name);

  constructor(
    private readonly transactions: Transactions,
    private readonly box: SecretBox,
    private readonly clock: Clock,
    private readonly revocations: ApiKeyRevocations,
  ) {}

  async insert(
    key: string,
    row: Pick<ApiKey, 'id' | 'name' | 'workerType' | 'scopes' | 'createdAt' | 'expiresAt'>,
  ): Promise<void> {
    const keySealed = this.box.seal(key, contextOf(row.id));
    const keyMac = this.box.mac(API_KEY_MAC, key);
    await this.keys.insert({ ...row, keySealed, keyMac });
  }

  /** All keys, the newest first. */
  list(): Promise<ApiKey[]> {
    return this.keys.find({ order: { createdAt: 'DESC', id: 'ASC' } });
  }

  /** The key itself, which is for nobody to see but in a preview; null where `SECRET_KEY` does not open it. */
  reveal({ id, keySealed }: ApiKey): string | null {
    try {
      return this.box.open(keySealed, contextOf(id));
    } catch (error) {
      this.logger.warn({ err: error, apiKey: id }, 'an API key does not open, so it is none');
      return null;
    }
  }

  /**
   * The row of a key, revoked or expired as it may be. It is found by the hash, which the secret of before may have
   * made, and then compared with what is sealed: a hash alone, written into the database, makes no key.
   */
  async find(key: string): Promise<ApiKey | null> {
    const row = await this.keys.findOneBy({ keyMac: In(this.box.macs(API_KEY_MAC, key)) });
    const sealed = row === null ? null : this.reveal(row);
    return sealed !== null && sameSecret(sealed, key) ? row : null;
  }

  /**
   * Revokes a key, for all replicas; again, without effect. The NOTIFY is of the same transaction, so neither can
   * happen without the other. This replica is told by {@link forget}, once it is committed.
   * @returns whether there is such a key
   */
  async revoke(id: string): Promise<boolean> {
    const revoked = await this.transactions.manager.query<unknown[]>(
      `WITH gone AS (UPDATE api_key SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING id)
       SELECT pg_notify($3, id::text) FROM gone`,
      [id, this.clock.now(), API_KEY_REVOKED],
    );
    return revoked.length > 0;
  }

  /** Tells this replica that a key was revoked: its own NOTIFY comes back only after the answer. */
  forget(id: string): void {
    this.revocations.deliver(id);
  }

  private get keys() {
    return this.transactions.manager.getRepository(ApiKey);
  }
}

function contextOf(id: string): string {
  return `api-key:${id}`;
}
