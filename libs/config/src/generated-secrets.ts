import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const schema = z.object({ secretKey: z.string(), adminKey: z.string(), adminPassword: z.string() });

/** Secrets that Sluice makes for itself outside production. */
export type GeneratedSecrets = z.infer<typeof schema> & {
  /** Made just now: whoever starts Sluice has not seen them yet. */
  readonly fresh: boolean;
};

/**
 * Reads `secrets.json` of the data directory, and makes it the first time. Only the owner may read it. Written by
 * rename, so that a crash leaves the whole file or none.
 * @throws Error when the file is there but can't be read: new secrets would make everything sealed unreadable.
 */
export function generatedSecrets(dataDir: string): GeneratedSecrets {
  const file = join(dataDir, 'secrets.json');
  try {
    return { ...schema.parse(JSON.parse(readFileSync(file, 'utf8'))), fresh: false };
  } catch (error) {
    if (!isMissing(error))
      throw new Error(`${file} can't be read; restore it, or remove the data directory`, { cause: error });
  }
  const secrets: z.infer<typeof schema> = {
    secretKey: randomBytes(32).toString('base64url'),
    adminKey: randomBytes(24).toString('base64url'),
    adminPassword: randomBytes(12).toString('base64url'),
  };
  mkdirSync(dataDir, { recursive: true, mode: 0o755 });
  writeFileSync(`${file}.new`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return { ...secrets, fresh: true };
}

/** Told by its code alone: an error of another realm (a Jest environment, a vm context) is no `instanceof Error`. */
function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}
