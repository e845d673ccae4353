import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { HttpError } from '../http/http-error.ts';

export interface StoredFile {
  name: string;
  /** In bytes. */
  size: number;
  modifiedAt: Date;
}

/**
 * Attachments as plain files: whole ones in `files/`, those on their way in `uploads/` beside it. A file moves from
 * one to the other by rename, so a reader never sees half a file, whatever happens in between. Names must have passed
 * {@link parseFileName}.
 */
export class FileStore {
  /** Where the whole files are. */
  readonly directory: string;
  readonly #uploads: string;

  private constructor(dataDir: string) {
    this.directory = join(dataDir, 'files');
    this.#uploads = join(dataDir, 'uploads');
  }

  /** Makes the two directories where needed, and clears away uploads that a crash cut short. */
  static async open(dataDir: string): Promise<FileStore> {
    const store = new FileStore(dataDir);
    await mkdir(store.directory, { recursive: true });
    await rm(store.#uploads, { recursive: true, force: true });
    await mkdir(store.#uploads);
    return store;
  }

  /** Every file, by name. */
  async list(): Promise<StoredFile[]> {
    const names = await readdir(this.directory);
    const found = await Promise.all(names.map(async (name) => await this.find(name)));
    return found.filter((file) => file !== undefined).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async find(name: string): Promise<StoredFile | undefined> {
    const stats = await unlessMissing(stat(join(this.directory, name)));
    return stats && describe(name, stats);
  }

  /**
   * Stores `content` under `name`, in place of a file of that name if there is one. When it resolves, the file
   * survives a power failure; when it rejects, nothing has changed.
   *
   * @throws HttpError 507 `INSUFFICIENT_STORAGE` when the disk is full; else what `content` threw
   */
  async write(name: string, content: AsyncIterable<Uint8Array>): Promise<StoredFile> {
    const upload = join(this.#uploads, randomUUID());
    try {
      const stats = await writeDurably(upload, content);
      await rename(upload, join(this.directory, name));
      await syncDirectory(this.directory);
      return describe(name, stats);
    } catch (error) {
      await rm(upload, { force: true });
      throw isFull(error)
        ? new HttpError(507, 'INSUFFICIENT_STORAGE', 'There is no room for the file')
        : error;
    }
  }

  /** @returns whether there was such a file */
  async remove(name: string): Promise<boolean> {
    return (await unlessMissing(unlink(join(this.directory, name)).then(() => true))) ?? false;
  }
}

async function writeDurably(path: string, content: AsyncIterable<Uint8Array>): Promise<Stats> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
    return await file.stat();
  } finally {
    await file.close();
  }
}

/** A rename is durable only when the directory it happened in is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function describe(name: string, { size, mtime }: Stats): StoredFile {
  return { name, size, modifiedAt: mtime };
}

async function unlessMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(codeOf(error) ?? '');
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
