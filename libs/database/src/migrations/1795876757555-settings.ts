import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The text of config.yml that is in force. */
export class Settings1795876757555 implements MigrationInterface {
  readonly name = 'Settings1795876757555';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
            CREATE TABLE "settings" (
                "id" smallint NOT NULL,
                "text" text NOT NULL,
                "revision" integer NOT NULL,
                "taken_hash" bytea,
                "written_hash" bytea,
                "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL,
                CONSTRAINT "settings_one_row_check" CHECK ("id" = 1),
                CONSTRAINT "settings_pkey" PRIMARY KEY ("id")
            )
        `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
            DROP TABLE "settings"
        `);
  }
}
