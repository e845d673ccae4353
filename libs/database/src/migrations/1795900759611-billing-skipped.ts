import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How many subscriptions a comparison with Stripe had to leave out. */
export class BillingSkipped1795900759611 implements MigrationInterface {
  readonly name = 'BillingSkipped1795900759611';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE "billing_sync" ADD "skipped" integer NOT NULL DEFAULT 0`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE "billing_sync" DROP COLUMN "skipped"`);
  }
}
