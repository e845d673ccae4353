/** Steps from the whole file to a part of it. */
export type SettingsPath = ReadonlyArray<string | number>;

/** Something in config.yml that can't be used. It repeats no value: some come from variables, and may be secret. */
export interface SettingsFault {
  /** Dotted (`routes.0.target`); empty for the file itself. */
  readonly path: string;
  /** From 1; null where it is in no line. */
  readonly line: number | null;
  /** What follows the path: `is not a known field`. */
  readonly message: string;
}

/** One fault as a sentence, with the line of its file where that is known. */
export function sentenceOf({ path, line, message }: SettingsFault, file: string): string {
  return `${file}${line === null ? '' : `:${line}`}: ${`${path} ${message}`.trim()}`;
}
