import type { Logger } from '@nestjs/common';

/** Logs what goes wrong in every pass once: when it begins, and again when it has become another fault. */
export class FaultLog {
  private readonly known = new Map<string, string>();

  constructor(private readonly logger: Pick<Logger, 'warn'>) {}

  /** @returns null, for whoever has nothing then */
  note(key: string, fault: string): null {
    if (this.known.get(key) !== fault) this.logger.warn(fault);
    this.known.set(key, fault);
    return null;
  }

  /** It works again. */
  clear(key: string): void {
    this.known.delete(key);
  }

  keepOnly(isOfUse: (key: string) => boolean): void {
    for (const key of this.known.keys()) if (!isOfUse(key)) this.known.delete(key);
  }
}
