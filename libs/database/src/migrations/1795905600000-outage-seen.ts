import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When the disk of an outage was looked at last, so that one that is gone can be forgotten. */
export class OutageSeen1795905600000 implements MigrationInterface {
  readonly name = 'OutageSeen1795905600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `ALTER TABLE "outage" ADD "seen_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now()`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE "outage" DROP COLUMN "seen_at"`);
  }
}
