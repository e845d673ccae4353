import type { Database } from '../database.ts';
import type { Note, NoteFields } from './note.ts';

const COLUMNS = 'id, title, body, version, created_at as "createdAt", updated_at as "updatedAt"';

/** The notes in PostgreSQL. Each method is one statement, so none needs a transaction. */
export class NoteStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Newest first: at most `limit` notes with an id below `before`. */
  async list({ limit, before }: { limit: number; before: number }): Promise<Note[]> {
    return await this.#database.query(`select ${COLUMNS} from note where id < $1 order by id desc limit $2`, [
      before,
      limit,
    ]);
  }

  async find(id: number): Promise<Note | undefined> {
    const [note] = await this.#database.query<Note>(`select ${COLUMNS} from note where id = $1`, [id]);
    return note;
  }

  async create(fields: NoteFields): Promise<Note> {
    const [note] = await this.#database.query<Note>(
      `insert into note (title, body) values ($1, $2) returning ${COLUMNS}`,
      [fields.title, fields.body],
    );
    if (!note) throw new Error('INSERT … RETURNING gave no row');
    return note;
  }

  /** Changes the given fields and leaves the others. */
  async update(id: number, { title, body }: Partial<NoteFields>): Promise<Note | undefined> {
    const [note] = await this.#database.query<Note>(
      `update note
          set title = coalesce($2, title), body = coalesce($3, body), version = version + 1, updated_at = now()
        where id = $1
        returning ${COLUMNS}`,
      [id, title ?? null, body ?? null],
    );
    return note;
  }

  /** @returns whether there was such a note */
  async remove(id: number): Promise<boolean> {
    const rows = await this.#database.query('delete from note where id = $1 returning id', [id]);
    return rows.length > 0;
  }
}
