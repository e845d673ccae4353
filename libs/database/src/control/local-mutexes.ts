/** A mutex for every key, within this process; who waits longest goes first. */
export class LocalMutexes {
  /** The keys that are taken, each with those who wait for it. */
  private readonly taken = new Map<string, (() => void)[]>();

  /** Takes the key if nobody has it or waits for it. */
  tryEnter(key: string): boolean {
    if (this.taken.has(key)) return false;
    this.taken.set(key, []);
    return true;
  }

  /** Takes the key as soon as it is this caller's turn. @throws the signal's reason once that aborts */
  enter(key: string, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (this.tryEnter(key)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const line = this.taken.get(key);
      const go = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        line?.splice(line.indexOf(go), 1);
        reject(signal?.reason);
      };
      line?.push(go);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Gives the key to the next in line. */
  leave(key: string): void {
    const next = this.taken.get(key)?.shift();
    if (next === undefined) this.taken.delete(key);
    else next();
  }
}
