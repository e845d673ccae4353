import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Pools and backends that are registered while the gateway runs. */
export class Pools1795875735529 implements MigrationInterface {
  readonly name = 'Pools1795875735529';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
            CREATE TABLE "pool" (
                "name" text NOT NULL,
                "health_path" text,
                "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
                CONSTRAINT "pool_pkey" PRIMARY KEY ("name")
            )
        `);
    await queryRunner.query(`
            CREATE TABLE "pool_backend" (
                "id" uuid NOT NULL,
                "pool" text NOT NULL,
                "url" text NOT NULL,
                "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
                CONSTRAINT "pool_backend_pool_url_key" UNIQUE ("pool", "url"),
                CONSTRAINT "pool_backend_pkey" PRIMARY KEY ("id")
            )
        `);
    await queryRunner.query(`
            ALTER TABLE "pool_backend"
            ADD CONSTRAINT "pool_backend_pool_fkey" FOREIGN KEY ("pool") REFERENCES "pool"("name") ON DELETE CASCADE ON UPDATE NO ACTION
        `);
    // Every replica keeps its own copy of both, and reads it anew when told.
    await queryRunner.query(`
            CREATE FUNCTION "announce_pool_change"() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM pg_notify('pool_changed', '');
                RETURN NULL;
            END $$
        `);
    for (const table of ['pool', 'pool_backend']) {
      await queryRunner.query(`
            CREATE TRIGGER "${table}_announce_change" AFTER INSERT OR UPDATE OR DELETE ON "${table}" FOR EACH ROW
            EXECUTE FUNCTION "announce_pool_change"()
        `);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
            ALTER TABLE "pool_backend" DROP CONSTRAINT "pool_backend_pool_fkey"
        `);
    await queryRunner.query(`
            DROP TABLE "pool_backend"
        `);
    await queryRunner.query(`
            DROP TABLE "pool"
        `);
    await queryRunner.query(`
            DROP FUNCTION "announce_pool_change"
        `);
  }
}
