import { environmentExample } from '#config';
import { keepUpToDate } from './generated-file.ts';

/* Makes .env.example: `npm run env:example`, and `npm run env:check` in CI. */
keepUpToDate(new URL('../.env.example', import.meta.url), environmentExample(), 'npm run env:example');
