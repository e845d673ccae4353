import { Injectable } from '@nestjs/common';
import { Clock } from '#common';
import { StoredSettings, Transactions } from '#database';
import { hashOfText } from './file-news.js';

/** The channel of PostgreSQL's NOTIFY; its payload is the revision that is in force from now on. */
export const CONFIGURATION_CHANGED = 'configuration_changed';

/** The table has one row. */
const ID = 1;

/** The configuration that the replicas share. */
@Injectable()
export class ConfigurationStore {
  constructor(
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** Null where nothing was ever configured. */
  find(): Promise<StoredSettings | null> {
    return this.transactions.manager.getRepository(StoredSettings).findOneBy({ id: ID });
  }

  /** Puts a text in force, and tells all replicas with the same commit. Gives its revision. */
  async save(text: string, from: 'file' | 'request'): Promise<number> {
    const takenHash = from === 'file' ? hashOfText(text) : null;
    const [saved] = await this.transactions.manager.query<Array<{ revision: number }>>(
      `WITH saved AS (
         INSERT INTO settings (id, text, revision, updated_at, taken_hash) VALUES ($1, $2, 1, $3, $5)
         ON CONFLICT (id) DO UPDATE
           SET text = excluded.text, revision = settings.revision + 1, updated_at = excluded.updated_at,
             taken_hash = coalesce(excluded.taken_hash, settings.taken_hash),
             written_hash = CASE WHEN excluded.taken_hash IS NULL THEN settings.written_hash END
         RETURNING revision)
       SELECT revision, pg_notify($4, revision::text) FROM saved`,
      [ID, text, this.clock.now(), CONFIGURATION_CHANGED, takenHash],
    );
    if (saved === undefined) throw new Error('the configuration was saved, and no revision came back');
    return saved.revision;
  }

  /** From now on a file of this text is no change, since it was read when the text was in force anyway. */
  async noteTaken(text: string): Promise<void> {
    await this.note({ takenHash: hashOfText(text), writtenHash: null });
  }

  /** From now on a file of this text is no change, since it was written by us. */
  async noteWritten(text: string): Promise<void> {
    await this.note({ writtenHash: hashOfText(text) });
  }

  private async note(hashes: Partial<Pick<StoredSettings, 'takenHash' | 'writtenHash'>>): Promise<void> {
    await this.transactions.manager.getRepository(StoredSettings).update({ id: ID }, hashes);
  }
}
