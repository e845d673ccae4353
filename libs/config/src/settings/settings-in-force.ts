import type { FileSettings } from './file-settings.js';

type Listener = (settings: FileSettings) => void;

/**
 * The settings of config.yml that are in force. They change while the gateway runs, all of them in one step: whoever
 * keeps something made of them makes it anew when told.
 */
export class SettingsInForce {
  #current: FileSettings;
  readonly #listeners = new Set<Listener>();

  constructor(initial: FileSettings) {
    this.#current = initial;
  }

  get current(): FileSettings {
    return this.#current;
  }

  /** Calls back after each change, before {@link replace} returns. Gives what ends that. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  replace(next: FileSettings): void {
    this.#current = next;
    for (const listener of this.#listeners) listener(next);
  }
}
