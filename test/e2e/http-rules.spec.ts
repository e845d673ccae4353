import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

/** docs/http.md says for each rule of HTTP where it is met; this holds it to what there is. */
const text = readFileSync('docs/http.md', 'utf8');
const [rules = '', tests = ''] = text.split('\n## Tests\n');

const files = new Map(
  [...tests.matchAll(/^\| `([\w-]+)` +\| `([^`]+)`/gm)].map(([, name = '', file = '']) => [name, file]),
);
const references = [...rules.matchAll(/`([a-z-]+): ([^`]+)`/g)]
  .map(([, name = '', title = '']) => ({ name, title }))
  // `Connection: TE` and the like are code, and no test bears a capital.
  .filter(({ name }) => files.has(name));
const rows = rules.split('\n').filter((line) => /^\| \d/.test(line));

/** A file as its titles stand in it, in whichever quotes. */
function sourceOf(name: string): string {
  return readFileSync(files.get(name) ?? '', 'utf8');
}

describe('docs/http.md', () => {
  it.each([...files])('names a file of tests that there is: %s', (_name, file) => {
    expect(existsSync(file)).toBe(true);
  });

  it('names titles that are there', () => {
    const missing = references.filter(({ name, title }) => !sourceOf(name).includes(title));
    expect(missing).toEqual([]);
    expect(references.length).toBeGreaterThan(100);
  });

  it('says in every row which test shows it, or why none does', () => {
    const bare = rows.filter(
      (row) =>
        !/`[a-z-]+: [^`]+`|not met|not applicable|not done on purpose/.test(row.split('|').at(-2) ?? ''),
    );
    expect(bare).toEqual([]);
  });

  it('gives reasons for what is not met', () => {
    const unmet = rows.filter((row) => row.includes('[not met]')).map((row) => /^\| ([\d.]+)/.exec(row)?.[1]);
    const [, reasons = ''] = text.split('\n## Not met');
    expect(unmet.filter((section) => !reasons.includes(`§${section}`))).toEqual([]);
  });
});
