import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the monitor sees, remembers and tells. The partitions of samples and roll-ups are made as their days come. */
export class Telemetry1795887600000 implements MigrationInterface {
  readonly name = 'Telemetry1795887600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
            CREATE TABLE "slice_sample" (
                "slice_id" integer NOT NULL,
                "at" TIMESTAMP WITH TIME ZONE NOT NULL,
                "healthy" boolean,
                "latency_ms" integer,
                "state" text,
                "cpu_percent" real,
                "memory_bytes" bigint,
                "database_bytes" bigint,
                "connections" integer,
                "metrics" jsonb,
                CONSTRAINT "slice_sample_pkey" PRIMARY KEY ("slice_id", "at")
            ) PARTITION BY RANGE ("at")
        `);
    await queryRunner.query(`
            CREATE TABLE "slice_rollup" (
                "step_seconds" smallint NOT NULL,
                "slice_id" integer NOT NULL,
                "at" TIMESTAMP WITH TIME ZONE NOT NULL,
                "checks" smallint NOT NULL,
                "healthy" smallint NOT NULL,
                "latency_ms" real,
                "cpu_percent" real,
                "memory_bytes" bigint,
                "database_bytes" bigint,
                "connections" integer,
                "metrics" jsonb,
                CONSTRAINT "slice_rollup_pkey" PRIMARY KEY ("step_seconds", "slice_id", "at")
            ) PARTITION BY RANGE ("at")
        `);
    await queryRunner.query(`
            CREATE TABLE "server_sample" (
                "at" TIMESTAMP WITH TIME ZONE NOT NULL,
                "cpu_percent" real,
                "load" real NOT NULL,
                "memory_used_bytes" bigint NOT NULL,
                "memory_total_bytes" bigint NOT NULL,
                "disk_used_bytes" bigint,
                "disk_total_bytes" bigint,
                "connections" integer,
                "max_connections" integer,
                CONSTRAINT "server_sample_pkey" PRIMARY KEY ("at")
            )
        `);
    await queryRunner.query(`
            CREATE TABLE "monitor_state" (
                "id" smallint NOT NULL,
                "last_pass_at" TIMESTAMP WITH TIME ZONE,
                "last_pass_by" text,
                "rolled_up_to" TIMESTAMP WITH TIME ZONE,
                CONSTRAINT "monitor_state_one_row_check" CHECK ("id" = 1),
                CONSTRAINT "monitor_state_pkey" PRIMARY KEY ("id")
            )
        `);
    await queryRunner.query(`INSERT INTO "monitor_state" ("id") VALUES (1)`);
    await queryRunner.query(`
            CREATE TABLE "slice_watch" (
                "slice_id" integer NOT NULL,
                "generation" integer NOT NULL,
                "failures" integer NOT NULL,
                "successes" integer NOT NULL,
                "restarts" integer NOT NULL,
                "restart_not_before" TIMESTAMP WITH TIME ZONE,
                CONSTRAINT "slice_watch_pkey" PRIMARY KEY ("slice_id")
            )
        `);
    await queryRunner.query(`
            CREATE TABLE "outage" (
                "subject" text NOT NULL,
                "since" TIMESTAMP WITH TIME ZONE NOT NULL,
                "reason" text NOT NULL,
                "well_since" TIMESTAMP WITH TIME ZONE,
                "notified_at" TIMESTAMP WITH TIME ZONE,
                CONSTRAINT "outage_pkey" PRIMARY KEY ("subject")
            )
        `);
    await queryRunner.query(`
            CREATE TABLE "outgoing_notice" (
                "id" uuid NOT NULL,
                "channel" text NOT NULL,
                "title" text NOT NULL,
                "body" text NOT NULL,
                "type" text NOT NULL,
                "created_at" TIMESTAMP WITH TIME ZONE NOT NULL,
                "attempts" integer NOT NULL DEFAULT '0',
                "next_attempt_at" TIMESTAMP WITH TIME ZONE NOT NULL,
                CONSTRAINT "outgoing_notice_pkey" PRIMARY KEY ("id", "channel")
            )
        `);
    await queryRunner.query(`
            CREATE INDEX "outgoing_notice_due" ON "outgoing_notice" ("next_attempt_at")
        `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of [
      'outgoing_notice',
      'outage',
      'slice_watch',
      'monitor_state',
      'server_sample',
      'slice_rollup',
      'slice_sample',
    ])
      await queryRunner.query(`DROP TABLE "${table}"`);
  }
}
