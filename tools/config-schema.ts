import { configSchemaFile } from '#config';
import { keepUpToDate } from './generated-file.ts';

/* Makes config.schema.json: `npm run config:schema`, and `npm run config:check` in CI. */
keepUpToDate(new URL('../config.schema.json', import.meta.url), configSchemaFile(), 'npm run config:schema');
