import { Injectable } from '@nestjs/common';
import { Clock } from '#common';
import { Backend } from './backend.js';

/** One way to write the URL of a backend: without the scheme's own port, and without a final slash. */
export function canonicalUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/+$/, '');
}

/** Every backend whose health is watched, each once: what is learnt of one holds wherever it is used. */
@Injectable()
export class Backends {
  private byUrl: ReadonlyMap<string, Backend> = new Map();
  private toldOf: ReadonlySet<string> = new Set();

  constructor(private readonly clock: Clock) {}

  /** @param url as {@link canonicalUrl} writes it */
  get(url: string): Backend | undefined {
    return this.byUrl.get(url);
  }

  get all(): readonly Backend[] {
    return [...this.byUrl.values()];
  }

  /** The operator was told that these are down, and of no other. @param urls canonical */
  told(urls: ReadonlySet<string>): void {
    this.toldOf = urls;
    for (const backend of this.byUrl.values()) backend.told = urls.has(backend.url);
  }

  /**
   * From now on these are watched, and no other. Those that stay keep their state.
   * @param wanted canonical URL → health path
   * @returns those nothing is known of yet, or of which something else is asked now
   */
  replace(wanted: ReadonlyMap<string, string>): Backend[] {
    const next = new Map<string, Backend>();
    const toProbe: Backend[] = [];
    for (const [url, healthPath] of wanted) {
      const known = this.byUrl.get(url);
      const backend = known ?? new Backend(url, healthPath, this.clock);
      if (known?.healthPath !== healthPath) toProbe.push(backend);
      backend.healthPath = healthPath;
      backend.told = this.toldOf.has(url);
      next.set(url, backend);
    }
    this.byUrl = next;
    return toProbe;
  }
}
