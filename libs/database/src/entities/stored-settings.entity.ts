import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * The text of config.yml that is in force, for every replica: one row, or none where nothing was ever configured.
 * Variables stand in it by their names, so no value of theirs is stored.
 */
@Entity('settings')
@Check('settings_one_row_check', `"id" = 1`)
export class StoredSettings {
  @PrimaryColumn('smallint')
  id!: number;

  @Column('text')
  text!: string;

  /** One more with each change. */
  @Column('integer')
  revision!: number;

  /** SHA-256 of the text that was last taken from a file; null: none was. */
  @Column('bytea', { nullable: true })
  takenHash!: Buffer | null;

  /** SHA-256 of the text that was last written to a file; null: none was since one was taken. */
  @Column('bytea', { nullable: true })
  writtenHash!: Buffer | null;

  @Column('timestamptz')
  updatedAt!: Date;
}
