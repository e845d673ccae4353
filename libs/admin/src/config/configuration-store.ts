import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '#common';
import { StoredSettings } from '#database';

/** The channel of PostgreSQL's NOTIFY; its payload is the revision that is in force from now on. */
export const CONFIGURATION_CHANGED = 'configuration_changed';

/** The table has one row. */
const ID = 1;

/** The configuration that the replicas share. */
@Injectable()
export class ConfigurationStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  /** Null where nothing was ever configured. */
  find(): Promise<StoredSettings | null> {
    return this.dataSource.getRepository(StoredSettings).findOneBy({ id: ID });
  }

  /** Puts a text in force, and tells all replicas with the same commit. Gives its revision. */
  async save(text: string): Promise<number> {
    const [saved] = await this.dataSource.query<Array<{ revision: number }>>(
      `WITH saved AS (
         INSERT INTO settings (id, text, revision, updated_at) VALUES ($1, $2, 1, $3)
         ON CONFLICT (id) DO UPDATE
           SET text = excluded.text, revision = settings.revision + 1, updated_at = excluded.updated_at
         RETURNING revision)
       SELECT revision, pg_notify($4, revision::text) FROM saved`,
      [ID, text, this.clock.now(), CONFIGURATION_CHANGED],
    );
    if (saved === undefined) throw new Error('the configuration was saved, and no revision came back');
    return saved.revision;
  }
}
