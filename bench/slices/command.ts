import { fileURLToPath } from 'node:url';

/** Runs app.js: large bodies and WebSockets. It listens on `PORT`. */
export function appSlice(): string[] {
  return [process.execPath, fileURLToPath(new URL('app.js', import.meta.url))];
}
