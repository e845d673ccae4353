import type { ServerResponse } from 'node:http';

const OURS = ['access-control-allow-origin', 'access-control-allow-credentials'];

/**
 * Leaves CORS to an upstream that says anything of it itself. One header of its own beside one of ours could allow what
 * neither of the two does: its origin, and our leave for cookies.
 * @param res with ours set beforehand
 * @param lines what the client gets of the upstream: name, value, name, value …
 */
export function yieldToCorsOf(lines: readonly string[], res: ServerResponse): void {
  const says = lines.some((line, i) => i % 2 === 0 && /^access-control-/i.test(line));
  if (says) for (const name of OURS) res.removeHeader(name);
}
