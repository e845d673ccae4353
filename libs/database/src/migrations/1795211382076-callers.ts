import type { MigrationInterface, QueryRunner } from 'typeorm';

/** OIDC identities and states, two factors, mailed links, API keys, and mail that is to be sent. */
export class Callers1795211382076 implements MigrationInterface {
  readonly name = 'Callers1795211382076';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
            CREATE TABLE "api_key" (
                "id" uuid NOT NULL,
                "name" text NOT NULL,
                "worker_type" text NOT NULL,
                "scopes" text array,
                "key_sealed" bytea NOT NULL,
                "key_mac" bytea NOT NULL,
                "created_at" TIMESTAMP WITH TIME ZONE NOT NULL,
                "expires_at" TIMESTAMP WITH TIME ZONE,
                "revoked_at" TIMESTAMP WITH TIME ZONE,
                "last_used_at" TIMESTAMP WITH TIME ZONE,
                "request_count" bigint NOT NULL DEFAULT '0',
                CONSTRAINT "api_key_key_mac_key" UNIQUE ("key_mac"),
                CONSTRAINT "api_key_pkey" PRIMARY KEY ("id")
            )
        `);
    await queryRunner.query(`
            CREATE TABLE "login_state" (
                "state_hash" bytea NOT NULL,
                "sealed" bytea NOT NULL,
                "expires_at" TIMESTAMP WITH TIME ZONE NOT NULL,
                CONSTRAINT "login_state_pkey" PRIMARY KEY ("state_hash")
            )
        `);
    await queryRunner.query(`
            CREATE INDEX "login_state_expires_at_idx" ON "login_state" ("expires_at")
        `);
    await queryRunner.query(`
            CREATE TABLE "one_time_token" (
                "token_hash" bytea NOT NULL,
                "user_id" uuid NOT NULL,
                "purpose" text NOT NULL,
                "email" text NOT NULL,
                "created_at" TIMESTAMP WITH TIME ZONE NOT NULL,
                "expires_at" TIMESTAMP WITH TIME ZONE NOT NULL,
                CONSTRAINT "one_time_token_purpose_check" CHECK ("purpose" IN ('verify-email', 'reset-password')),
                CONSTRAINT "one_time_token_pkey" PRIMARY KEY ("token_hash")
            )
        `);
    await queryRunner.query(`
            CREATE UNIQUE INDEX "one_time_token_user_id_purpose_idx" ON "one_time_token" ("user_id", "purpose")
        `);
    await queryRunner.query(`
            CREATE INDEX "one_time_token_expires_at_idx" ON "one_time_token" ("expires_at")
        `);
    await queryRunner.query(`
            CREATE TABLE "outgoing_mail" (
                "id" uuid NOT NULL,
                "sealed" bytea NOT NULL,
                "created_at" TIMESTAMP WITH TIME ZONE NOT NULL,
                "attempts" integer NOT NULL DEFAULT '0',
                "next_attempt_at" TIMESTAMP WITH TIME ZONE NOT NULL,
                "last_error" text,
                CONSTRAINT "outgoing_mail_pkey" PRIMARY KEY ("id")
            )
        `);
    await queryRunner.query(`
            CREATE INDEX "outgoing_mail_due" ON "outgoing_mail" ("next_attempt_at")
        `);
    await queryRunner.query(`
            CREATE TABLE "recovery_code" (
                "user_id" uuid NOT NULL,
                "code_hash" bytea NOT NULL,
                CONSTRAINT "recovery_code_pkey" PRIMARY KEY ("user_id", "code_hash")
            )
        `);
    await queryRunner.query(`
            CREATE TABLE "user_identity" (
                "issuer" text NOT NULL,
                "subject" text NOT NULL,
                "user_id" uuid NOT NULL,
                "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
                CONSTRAINT "user_identity_pkey" PRIMARY KEY ("issuer", "subject")
            )
        `);
    await queryRunner.query(`
            CREATE INDEX "user_identity_user_id_idx" ON "user_identity" ("user_id")
        `);
    await queryRunner.query(`
            ALTER TABLE "user"
            ADD "email_verified_at" TIMESTAMP WITH TIME ZONE
        `);
    await queryRunner.query(`
            ALTER TABLE "user"
            ADD "token_generation" integer NOT NULL DEFAULT '0'
        `);
    await queryRunner.query(`
            ALTER TABLE "user"
            ADD "totp_secret_sealed" bytea
        `);
    await queryRunner.query(`
            ALTER TABLE "user"
            ADD "totp_confirmed_at" TIMESTAMP WITH TIME ZONE
        `);
    await queryRunner.query(`
            ALTER TABLE "user"
            ADD "totp_last_step" integer
        `);
    await queryRunner.query(`
            ALTER TABLE "session"
            ADD "kind" text NOT NULL DEFAULT 'password'
        `);
    await queryRunner.query(`
            ALTER TABLE "session"
            ADD "tokens_sealed" bytea
        `);
    await queryRunner.query(`
            ALTER TABLE "session"
            ADD "subject" text
        `);
    await queryRunner.query(`
            ALTER TABLE "session"
            ADD CONSTRAINT "session_kind_check" CHECK ("kind" IN ('password', 'oidc'))
        `);
    await queryRunner.query(`
            ALTER TABLE "one_time_token"
            ADD CONSTRAINT "one_time_token_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user"("id") ON DELETE CASCADE ON UPDATE NO ACTION
        `);
    await queryRunner.query(`
            ALTER TABLE "recovery_code"
            ADD CONSTRAINT "recovery_code_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user"("id") ON DELETE CASCADE ON UPDATE NO ACTION
        `);
    await queryRunner.query(`
            ALTER TABLE "user_identity"
            ADD CONSTRAINT "user_identity_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user"("id") ON DELETE CASCADE ON UPDATE NO ACTION
        `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
            ALTER TABLE "user_identity" DROP CONSTRAINT "user_identity_user_id_fkey"
        `);
    await queryRunner.query(`
            ALTER TABLE "recovery_code" DROP CONSTRAINT "recovery_code_user_id_fkey"
        `);
    await queryRunner.query(`
            ALTER TABLE "one_time_token" DROP CONSTRAINT "one_time_token_user_id_fkey"
        `);
    await queryRunner.query(`
            ALTER TABLE "session" DROP CONSTRAINT "session_kind_check"
        `);
    await queryRunner.query(`
            ALTER TABLE "session" DROP COLUMN "subject"
        `);
    await queryRunner.query(`
            ALTER TABLE "session" DROP COLUMN "tokens_sealed"
        `);
    await queryRunner.query(`
            ALTER TABLE "session" DROP COLUMN "kind"
        `);
    await queryRunner.query(`
            ALTER TABLE "user" DROP COLUMN "totp_last_step"
        `);
    await queryRunner.query(`
            ALTER TABLE "user" DROP COLUMN "totp_confirmed_at"
        `);
    await queryRunner.query(`
            ALTER TABLE "user" DROP COLUMN "totp_secret_sealed"
        `);
    await queryRunner.query(`
            ALTER TABLE "user" DROP COLUMN "token_generation"
        `);
    await queryRunner.query(`
            ALTER TABLE "user" DROP COLUMN "email_verified_at"
        `);
    await queryRunner.query(`
            DROP INDEX "user_identity_user_id_idx"
        `);
    await queryRunner.query(`
            DROP TABLE "user_identity"
        `);
    await queryRunner.query(`
            DROP TABLE "recovery_code"
        `);
    await queryRunner.query(`
            DROP INDEX "outgoing_mail_due"
        `);
    await queryRunner.query(`
            DROP TABLE "outgoing_mail"
        `);
    await queryRunner.query(`
            DROP INDEX "one_time_token_expires_at_idx"
        `);
    await queryRunner.query(`
            DROP INDEX "one_time_token_user_id_purpose_idx"
        `);
    await queryRunner.query(`
            DROP TABLE "one_time_token"
        `);
    await queryRunner.query(`
            DROP INDEX "login_state_expires_at_idx"
        `);
    await queryRunner.query(`
            DROP TABLE "login_state"
        `);
    await queryRunner.query(`
            DROP TABLE "api_key"
        `);
  }
}
