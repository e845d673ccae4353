import { resolve } from 'node:path';

/** Lets slices be processes of test/support/tiny-app.mjs, which are up in no time. */
export const TINY_SLICES = {
  SLICE_RUNTIME: 'process',
  SLICE_COMMAND: `${process.execPath} ${resolve('test/support/tiny-app.mjs')}`,
} as const;
