import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '#common';

const schema = z.object({ secretKey: z.string(), adminKey: z.string(), adminPassword: z.string() });

/** Secrets that Sluice makes for itself outside production. */
export type GeneratedSecrets = z.infer<typeof schema> & {
  /** Made just now: whoever starts Sluice has not seen them yet. */
  readonly fresh: boolean;
};

/**
 * Reads `secrets.json` of the data directory, and makes it the first time. Only the owner may read it. A
 * crash leaves the whole file or none.
 * @throws Error when the file is there but can't be read: new secrets would make everything sealed unreadable.
 */
export function generatedSecrets(dataDir: string): GeneratedSecrets {
  const file = join(dataDir, 'secrets.json');
  try {
    return { ...schema.parse(JSON.parse(readFileSync(file, 'utf8'))), fresh: false };
  } catch (error) {
    if (errorCode(error) !== 'ENOENT')
      throw new Error(`${file} can't be read; restore it, or remove the data directory`, { cause: error });
  }
  const secrets: z.infer<typeof schema> = {
    secretKey: randomBytes(32).toString('base64url'),
    adminKey: randomBytes(24).toString('base64url'),
    adminPassword: randomBytes(12).toString('base64url'),
  };
  mkdirSync(dataDir, { recursive: true, mode: 0o755 });
  writeDurably(file, `${JSON.stringify(secrets, null, 2)}\n`);
  return { ...secrets, fresh: true };
}

/** Writes by rename, with file and folder on the disk before it returns: not even a power cut leaves an empty file. */
function writeDurably(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
