import { fileURLToPath } from 'node:url';
import manifest from '#package' with { type: 'json' };

const ROOT = new URL('../../', import.meta.url);

/** The command that `npm start` runs, with further flags for Node. */
export function gatewayCommand(flags: readonly string[] = []): string[] {
  const [, ...args] = manifest.scripts.start.split(' ');
  const program = args.pop() ?? '';
  return [process.execPath, ...args, ...flags, fileURLToPath(new URL(program, ROOT))];
}
