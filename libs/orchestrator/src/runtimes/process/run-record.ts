import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { lookUnless } from './system-error.js';

const runRecord = z.object({
  pid: z.number().int().positive(),
  startTime: z.string(),
  bootId: z.string(),
  generation: z.number().int(),
  port: z.number().int(),
  startedAt: z.coerce.date(),
});

/** Who runs for a slice: kept in `run.json`, from before its first instruction until it is known to be gone. */
export type RunRecord = z.infer<typeof runRecord>;

const fileIn = (folder: string): string => join(folder, 'run.json');

/**
 * Null when nothing is on record, or a text that was never whole: then nothing was started.
 * @throws RuntimeUnavailableError when what is on record can't be read
 */
export async function readRunRecord(folder: string): Promise<RunRecord | null> {
  const text = await lookUnless(['ENOENT'], readFile(fileIn(folder), 'utf8'));
  if (text === null) return null;
  try {
    return runRecord.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Replaces the record at once: a reader sees the old one or the new one. */
export async function writeRunRecord(folder: string, record: RunRecord): Promise<void> {
  const part = `${fileIn(folder)}.part`;
  await writeFile(part, JSON.stringify(record), { mode: 0o600 });
  await rename(part, fileIn(folder));
}

export async function removeRunRecord(folder: string): Promise<void> {
  await rm(fileIn(folder), { force: true });
}
