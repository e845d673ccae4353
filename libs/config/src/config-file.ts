import { readFileSync } from 'node:fs';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { detailsOf, errorCode } from '#common';
import type { FileSettings } from './settings/file-settings.js';

/** Parts of the file that are read elsewhere, each by its own schema. */
const PARTS_READ_ELSEWHERE = [
  'defaultBackend',
  'allowedOrigins',
  'mappings',
  'services',
  'routes',
  'pools',
  'workers',
  'appMetrics',
] as const;

/** A guest's token opens the one route it is for; these two are of admins alone. */
const routeOfGuests = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'must be the id of a route')
  .refine((id) => id !== 'core' && id !== 'auth', 'must not be core or auth, which are for admins');

/** An unknown key is a slip of the pen, and what was meant would not be in force: it is a fault. */
const configFileSchema = z
  .strictObject({
    ...Object.fromEntries(PARTS_READ_ELSEWHERE.map((part) => [part, z.unknown().optional()])),
    guest: z.strictObject({ routes: z.array(routeOfGuests) }).prefault({ routes: ['build'] }),
  })
  .transform(({ guest }): FileSettings => ({ ...NOTHING_SAID, guestRoutes: guest.routes }));

const NOTHING_SAID: FileSettings = {
  defaultBackend: null,
  allowedOrigins: [],
  mappings: [],
  routes: [],
  pools: [],
  workers: [],
  guestRoutes: ['build'],
  appMetrics: [],
};

/** A file that was read, or why it can't be used. */
export type ConfigFileReading =
  | { readonly settings: FileSettings; readonly faults: readonly [] }
  | { readonly settings: null; readonly faults: readonly string[] };

/**
 * Reads config.yml. One that is not there says nothing, and everything has its default.
 * @param file absolute path
 * @returns the settings, or every fault at once, each with its line
 */
export function readConfigFile(file: string): ConfigFileReading {
  const lines = new LineCounter();
  try {
    const document = parseDocument(textOf(file), { lineCounter: lines });
    if (document.errors.length > 0)
      return faulty(document.errors.map(({ message }) => `${file}: ${headOf(message)}`));
    const parsed = configFileSchema.safeParse(document.toJS() ?? {});
    if (parsed.success) return { settings: parsed.data, faults: [] };
    return faulty(
      detailsOf(parsed.error.issues).map(
        ({ path, message }) => `${file}${lineOf(document, lines, path)}: ${`${path} ${message}`.trim()}`,
      ),
    );
  } catch (error) {
    // An alias that names nothing, or that grows beyond all bounds, is found out only when it is resolved.
    if (error instanceof ReferenceError) return faulty([`${file}: ${error.message}`]);
    if (errorCode(error) !== undefined)
      return faulty([`CONFIG_FILE ${file} can't be read (${errorCode(error)})`]);
    throw error;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  }
}

function faulty(faults: readonly string[]): ConfigFileReading {
  return { settings: null, faults };
}

/** The fault with its line and column; an excerpt of the file follows in lines of their own. */
function headOf(message: string): string {
  return message.split(':\n', 1)[0] ?? message;
}

/** `:12` for the place of a fault; nothing where that is not in the file. */
function lineOf(document: Document, lines: LineCounter, dotted: string): string {
  const path = dotted.split('.').filter((step) => step !== '');
  const node: unknown = document.getIn(path, true);
  const start = isNode(node) ? node.range?.[0] : undefined;
  return start === undefined ? '' : `:${lines.linePos(start).line}`;
}
