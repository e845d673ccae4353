import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Subscriptions, the events that tell of them, and slices that billing has stopped. */
export class Billing1795887509992 implements MigrationInterface {
  readonly name = 'Billing1795887509992';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
            ALTER TABLE "slice" ADD "stopped_by" text
        `);
    await queryRunner.query(`
            ALTER TABLE "slice" ADD CONSTRAINT "slice_stopped_by_check" CHECK ("stopped_by" = 'billing')
        `);
    await queryRunner.query(`
            CREATE TABLE "billing_account" (
                "user_id" uuid NOT NULL,
                "customer_id" text,
                "customer_number" integer NOT NULL DEFAULT 1,
                "customer_email" text,
                "revision" integer NOT NULL DEFAULT 0,
                "subscription_id" text,
                "status" text NOT NULL DEFAULT 'none',
                "status_since" TIMESTAMP WITH TIME ZONE,
                "price_id" text,
                "current_period_end" TIMESTAMP WITH TIME ZONE,
                "cancel_at" TIMESTAMP WITH TIME ZONE,
                "cancel_at_period_end" boolean NOT NULL DEFAULT false,
                "trial_end" TIMESTAMP WITH TIME ZONE,
                "past_due_since" TIMESTAMP WITH TIME ZONE,
                "ended_at" TIMESTAMP WITH TIME ZONE,
                "next_step_at" TIMESTAMP WITH TIME ZONE,
                "held_since" TIMESTAMP WITH TIME ZONE,
                "removal_noticed_at" TIMESTAMP WITH TIME ZONE,
                "slice_removed_at" TIMESTAMP WITH TIME ZONE,
                "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
                CONSTRAINT "billing_account_customer_id_key" UNIQUE ("customer_id"),
                CONSTRAINT "billing_account_status_check" CHECK ("status" IN ('none', 'trialing', 'active', 'past_due', 'unpaid', 'canceled', 'incomplete', 'incomplete_expired', 'paused')),
                CONSTRAINT "billing_account_pkey" PRIMARY KEY ("user_id")
            )
        `);
    await queryRunner.query(`
            CREATE INDEX "billing_account_due" ON "billing_account" ("next_step_at") WHERE "next_step_at" IS NOT NULL
        `);
    await queryRunner.query(`
            ALTER TABLE "billing_account"
            ADD CONSTRAINT "billing_account_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user"("id") ON DELETE CASCADE ON UPDATE NO ACTION
        `);
    // What decides whether a customer may use the slice: every replica forgets what it knew of them.
    await queryRunner.query(`
            CREATE FUNCTION "announce_billing_change"() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM pg_notify('billing_changed', NEW.user_id::text);
                RETURN NULL;
            END $$
        `);
    await queryRunner.query(`
            CREATE TRIGGER "billing_account_announce_change" AFTER UPDATE ON "billing_account" FOR EACH ROW
            WHEN ((OLD.status, OLD.past_due_since) IS DISTINCT FROM (NEW.status, NEW.past_due_since))
            EXECUTE FUNCTION "announce_billing_change"()
        `);
    await queryRunner.query(`
            CREATE TABLE "billing_event" (
                "id" text NOT NULL,
                "type" text NOT NULL,
                "object_id" text,
                "customer_id" text,
                "created_at" TIMESTAMP WITH TIME ZONE NOT NULL,
                "received_at" TIMESTAMP WITH TIME ZONE NOT NULL,
                CONSTRAINT "billing_event_pkey" PRIMARY KEY ("id")
            )
        `);
    await queryRunner.query(`
            CREATE INDEX "billing_event_received_at_idx" ON "billing_event" ("received_at")
        `);
    await queryRunner.query(`
            CREATE TABLE "billing_step" (
                "id" integer GENERATED ALWAYS AS IDENTITY NOT NULL,
                "user_id" uuid,
                "step" text NOT NULL,
                "key" text,
                "cause" text NOT NULL,
                "detail" jsonb NOT NULL DEFAULT '{}',
                "at" TIMESTAMP WITH TIME ZONE NOT NULL,
                CONSTRAINT "billing_step_pkey" PRIMARY KEY ("id")
            )
        `);
    await queryRunner.query(`
            CREATE INDEX "billing_step_user_id_at_idx" ON "billing_step" ("user_id", "at")
        `);
    await queryRunner.query(`
            CREATE UNIQUE INDEX "billing_step_once" ON "billing_step" ("user_id", "key") WHERE "key" IS NOT NULL
        `);
    await queryRunner.query(`
            CREATE TABLE "billing_sync" (
                "id" smallint NOT NULL,
                "started_at" TIMESTAMP WITH TIME ZONE NOT NULL,
                "cursor" text,
                "finished_at" TIMESTAMP WITH TIME ZONE,
                "compared" integer NOT NULL DEFAULT 0,
                "repaired" integer NOT NULL DEFAULT 0,
                CONSTRAINT "billing_sync_one_row_check" CHECK ("id" = 1),
                CONSTRAINT "billing_sync_pkey" PRIMARY KEY ("id")
            )
        `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['billing_sync', 'billing_step', 'billing_event', 'billing_account']) {
      await queryRunner.query(`
            DROP TABLE "${table}"
        `);
    }
    await queryRunner.query(`
            DROP FUNCTION "announce_billing_change"
        `);
    await queryRunner.query(`
            ALTER TABLE "slice" DROP COLUMN "stopped_by"
        `);
  }
}
