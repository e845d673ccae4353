import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument } from 'yaml';
import type { SettingsFault, SettingsPath } from './settings-fault.js';

/** As much as a request may carry. */
const MAX_BYTES = 100 * 1024;
/** Three times as deep as anything in the file. */
const MAX_DEPTH = 20;
/** What a text of that size can hold, and aliases may multiply it a little. */
const MAX_NODES = 100_000;
/** Each is looked for in the whole text. */
const MAX_ALIASES = 200;
const MAX_FAULTS = 50;

/** At the end of a message: the piece of the text that was not understood, and may be a secret. */
const QUOTED_TOKEN = /: ".*$/s;

/** YAML 1.2.2 §5.1: what may not stand in a text as it is. A database takes no NUL either. */
const CONTROL_CHARACTER = /[^\P{Cc}\t\n\r\u0085]/u;

/** What a text says, before anything is known of its meaning. */
export interface YamlReading {
  /** Made of plain objects, arrays and scalars; an empty text gives null. */
  readonly value: unknown;
  readonly faults: readonly SettingsFault[];
  /** The line of a part, or of what is nearest around it; null where the text is empty. */
  lineOf(path: SettingsPath): number | null;
}

/**
 * Reads YAML 1.2, of which JSON is a part, into plain values, and remembers their lines. Nothing of YAML that makes
 * code or other types of the text is understood. Aliases are, as far as they do not multiply it without bounds.
 */
export function readYaml(text: string): YamlReading {
  if (Buffer.byteLength(text) > MAX_BYTES) return unreadable('is larger than 100 KB');
  const control = CONTROL_CHARACTER.exec(text);
  if (control !== null) {
    return unreadable('must not contain control characters', text.slice(0, control.index).split('\n').length);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    resolveKnownTags: false,
    schema: 'core',
    stringKeys: true,
    // The library compares each key with each other one, which takes seconds in a file of this size; we do it below.
    uniqueKeys: false,
  });
  // What follows the first is hardly ever a fault of its own.
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) {
    const why = fault.message.replace(QUOTED_TOKEN, '');
    return unreadable(`is no YAML that can be read: ${why}`, lines.linePos(fault.pos[0]).line);
  }
  return new Reader(document, lines).read();
}

function unreadable(message: string, line: number | null = null): YamlReading {
  return { value: null, faults: [{ path: '', line, message }], lineOf: () => null };
}

/** What is wrong with the whole of it ends the reading. */
class Unreadable extends Error {}

class Reader {
  private readonly faults: SettingsFault[] = [];
  private readonly lineAt = new Map<string, number>();
  private nodes = 0;
  private aliases = 0;

  constructor(
    private readonly document: Document,
    private readonly lines: LineCounter,
  ) {}

  read(): YamlReading {
    let value: unknown = null;
    try {
      value = this.valueOf(this.document.contents, []);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.fault([], error.message);
    }
    return { value, faults: this.faults.slice(0, MAX_FAULTS), lineOf: (path) => this.nearestLine(path) };
  }

  private valueOf(node: unknown, path: SettingsPath): unknown {
    if (path.length > MAX_DEPTH) throw new Unreadable('is nested too deep');
    if (isAlias(node)) this.aliases++;
    if (++this.nodes > MAX_NODES || this.aliases > MAX_ALIASES) {
      throw new Unreadable('grows beyond all bounds by its aliases');
    }
    this.noteLine(node, path);
    if (isAlias(node)) return this.aliased(node.resolve(this.document), path);
    if (isSeq(node)) return node.items.map((item, i) => this.valueOf(item, [...path, i]));
    if (isMap(node)) return this.objectOf(node.items, path);
    if (!isScalar(node)) return null;
    if (isPlainText(node.value)) return node.value;
    this.fault(path, 'must not contain control characters');
    return null;
  }

  private aliased(target: unknown, path: SettingsPath): unknown {
    if (target !== undefined) return this.valueOf(target, path);
    this.fault(path, 'is an alias of nothing; the anchor has to stand before it');
    return null;
  }

  private objectOf(pairs: readonly Pair[], path: SettingsPath): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    for (const { key, value } of pairs) {
      const name = isScalar(key) && typeof key.value === 'string' ? key.value : '';
      const at = [...path, name];
      const again = entries.has(name);
      if (again) this.lineAt.delete(keyOf(at));
      this.noteLine(key, at);
      if (again) this.fault(at, 'stands here for the second time');
      // Nobody names anything so in good faith, and an object would take it for its prototype.
      else if (name === '__proto__') this.fault(at, 'is not a known field');
      else entries.set(name, this.valueOf(value, at));
    }
    return Object.fromEntries(entries);
  }

  /** Of what has a key, the key's line is the one to look at. */
  private noteLine(node: unknown, path: SettingsPath): void {
    const start = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
    const key = keyOf(path);
    if (start !== undefined && !this.lineAt.has(key)) this.lineAt.set(key, this.lines.linePos(start).line);
  }

  private nearestLine(path: SettingsPath): number | null {
    for (let length = path.length; length >= 0; length--) {
      const line = this.lineAt.get(keyOf(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return null;
  }

  private fault(path: SettingsPath, message: string): void {
    this.faults.push({ path: path.join('.'), line: this.nearestLine(path), message });
  }
}

/** Tells `['a.b']` from `['a', 'b']`. */
function keyOf(path: SettingsPath): string {
  return JSON.stringify(path);
}

/** Line breaks and tabs are text; no other control character is, nor half a surrogate pair. */
function isPlainText(value: unknown): boolean {
  return typeof value !== 'string' || (/^[\P{Cc}\t\n\r]*$/u.test(value) && value.isWellFormed());
}
