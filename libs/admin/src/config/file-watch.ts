import { type FSWatcher, type StatsListener, unwatchFile, watch, watchFile } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Editors write in steps; a text is read when it has been left alone for so long. */
const SETTLE_MS = 100;
/** Where the system tells nothing of changes: a file that is mounted by itself, a network file system. */
const POLL_MS = 2000;
/** After a look that failed, the database being away for example. */
const RETRY_MS = 2000;

/**
 * Calls back when a file may have changed, or have come to be. The folder is watched, since most editors put another
 * file in the place of the old one; the file itself is looked at now and then as well.
 */
export class FileWatch {
  private watcher: FSWatcher | null = null;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | null = null;
  private stopped = false;

  /** @param look may be told of changes that are none; never called twice at once, and again when it rejects */
  constructor(
    private readonly file: string,
    private readonly look: () => Promise<void>,
  ) {}

  start(): void {
    watchFile(this.file, { interval: POLL_MS, persistent: false }, this.changed);
    try {
      const name = basename(this.file);
      this.watcher = watch(dirname(this.file), { persistent: false }, (_event, entry) => {
        // Kubernetes swaps a link called ..data, that the file is reached by.
        if (entry === null || entry === name || entry.startsWith('..')) this.schedule(SETTLE_MS);
      });
      this.watcher.on('error', () => this.watcher?.close());
    } catch {
      // No such folder, or no watch left to be had: looking now and then has to do.
    }
  }

  /** Resolves when no look is under way any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    this.watcher?.close();
    unwatchFile(this.file, this.changed);
    await this.running;
  }

  private readonly changed: StatsListener = () => this.schedule(SETTLE_MS);

  private schedule(afterMs: number): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.run(), afterMs).unref();
  }

  private async run(): Promise<void> {
    if (this.running !== null) {
      this.schedule(SETTLE_MS);
      return;
    }
    this.running = this.look().catch(() => this.schedule(RETRY_MS));
    await this.running;
    this.running = null;
  }
}
