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

  @Column('timestamptz')
  updatedAt!: Date;
}
