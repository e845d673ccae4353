import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generatedSecrets } from './generated-secrets.js';

describe('the secrets that Sluice makes for itself', () => {
  let dataDir: string;
  let file: string;
  beforeEach(() => {
    dataDir = join(mkdtempSync(join(tmpdir(), 'sluice-secrets-')), 'data');
    file = join(dataDir, 'secrets.json');
  });
  afterEach(() => rmSync(join(dataDir, '..'), { recursive: true }));

  it('are fresh once, and the same ever after', () => {
    const first = generatedSecrets(dataDir);
    expect(first.fresh).toBe(true);
    expect(generatedSecrets(dataDir)).toEqual({ ...first, fresh: false });
  });

  it('are long enough not to be guessed, and each another', () => {
    const { secretKey, adminKey, adminPassword } = generatedSecrets(dataDir);
    const bits = [secretKey, adminKey, adminPassword].map(
      (text) => Buffer.from(text, 'base64url').length * 8,
    );
    expect(bits).toEqual([256, 192, 96]);
    expect(new Set([secretKey, adminKey, adminPassword]).size).toBe(3);
  });

  it('are for the owner alone, and nothing else is left in the folder', () => {
    generatedSecrets(dataDir);
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    expect(readdirSync(dataDir)).toEqual(['secrets.json']);
  });

  it.each(['', '{', 'null', '{"secretKey":"x"}', '{"secretKey":1,"adminKey":"a","adminPassword":"b"}'])(
    'are not made anew when the file holds %j: what is sealed under the old ones would be lost',
    (text) => {
      generatedSecrets(dataDir);
      writeFileSync(file, text);
      expect(() => generatedSecrets(dataDir)).toThrow(`${file} can't be read`);
    },
  );

  it('are not made anew when something else stands in the place of the file', () => {
    mkdirSync(file, { recursive: true });
    expect(() => generatedSecrets(dataDir)).toThrow(`${file} can't be read`);
  });
});
