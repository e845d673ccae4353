import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { diff } from 'node:util';

const SHOWN_LINES = 40;

/**
 * Writes a file that is made from the source and committed; with `--check` on the command line it only compares, shows
 * the first differences, and leaves with exit status 1.
 * @param remake the command that brings the file up to date
 */
export function keepUpToDate(file: URL, text: string, remake: string): void {
  const name = relative(process.cwd(), file.pathname);
  const committed = read(file);
  if (committed === text) {
    process.stdout.write(`${name} is up to date\n`);
  } else if (process.argv.includes('--check')) {
    process.stderr.write(`${name} is out of date; run: ${remake}\n${differences(committed, text)}\n`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, text);
    process.stdout.write(`${name} written\n`);
  }
}

function read(file: URL): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function differences(committed: string, current: string): string {
  const changed = diff(current.split('\n'), committed.split('\n')).filter(([operation]) => operation !== 0);
  const lines = changed
    .slice(0, SHOWN_LINES)
    .map(([operation, line]) => `${operation < 0 ? '-' : '+'}${line}`);
  if (changed.length > SHOWN_LINES) lines.push(`… and ${changed.length - SHOWN_LINES} lines more`);
  return lines.join('\n');
}
