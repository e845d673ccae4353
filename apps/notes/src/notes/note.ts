/** A note as callers and listeners see it. */
export interface Note {
  id: number;
  title: string;
  body: string;
  /** Grows with every edit: of two states of a note, the one with the greater version is the later. */
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

/** What a caller may set. */
export type NoteFields = Pick<Note, 'title' | 'body'>;
