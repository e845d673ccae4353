import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { loadConfig } from '#config';
import { connectionOf, dataSourceOptions } from '#database';

/**
 * For TypeORM's command line, run on the compiled file: Node can't run decorators by stripping types. It needs a
 * database that is there (`DATABASE_URL`); `npm run migration:check` and `migration:generate` bring their own.
 */
export default new DataSource(dataSourceOptions(connectionOf(loadConfig(process.env).database), 2));
