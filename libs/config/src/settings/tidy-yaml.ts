import { stringify } from 'yaml';
import type { SaidSettings } from './settings-reader.js';

/** What was said, as a person would write it into the file. */
export function tidyYaml(said: SaidSettings): string {
  return stringify(said, { lineWidth: 0, aliasDuplicateObjects: false });
}
