import { fileURLToPath } from 'node:url';
import type { SliceCommand } from '../peers/sluice.ts';

/** Runs app.js: large bodies and WebSockets. */
export const appSlice: SliceCommand = (port) => [
  process.execPath,
  fileURLToPath(new URL('app.js', import.meta.url)),
  String(port),
];
