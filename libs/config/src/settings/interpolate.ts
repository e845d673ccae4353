import type { SettingsPath } from './settings-fault.js';
import type { Variables } from './variables.js';

/** `$${`, `${NAME}`, `${NAME:-default}`, or a `${` that is none of them. */
const PLACEHOLDER = /\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})?/g;
const NOTHING_ELSE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

export interface Interpolation {
  readonly variables: Variables;
  readonly onFault: (path: SettingsPath, message: string) => void;
}

/**
 * Puts variables into the strings of a value that was read; keys stay as they are. It is done after the parsing, so
 * what a variable holds is always text, and never YAML.
 */
export function interpolate(value: unknown, context: Interpolation, path: SettingsPath = []): unknown {
  if (typeof value === 'string') return fill(value, context, path);
  if (Array.isArray(value)) return value.map((item, i) => interpolate(item, context, [...path, i]));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    const at = [...path, key];
    return lacksTarget(inner, at, context.variables) ? [] : [[key, interpolate(inner, context, at)]];
  });
  return Object.fromEntries(entries);
}

/** A target that is one variable which is not set: the route is there, and has no target yet. */
function lacksTarget(value: unknown, path: SettingsPath, variables: Variables): boolean {
  const [section, , key] = path;
  const isTarget = (section === 'services' && key === 'url') || (section === 'routes' && key === 'target');
  if (!isTarget || path.length !== 3 || typeof value !== 'string') return false;
  const name = NOTHING_ELSE.exec(value)?.[1];
  return name !== undefined && !variables.isSecret(name) && variables.get(name) === undefined;
}

function fill(text: string, { variables, onFault }: Interpolation, path: SettingsPath): string {
  return text.replaceAll(PLACEHOLDER, (found: string, name?: string, preset?: string) => {
    if (found === '$${') return '${';
    if (name === undefined) {
      onFault(path, 'has a ${ that begins no ${NAME} and no ${NAME:-default}; write $${ for the characters');
      return '';
    }
    if (variables.isSecret(name)) {
      onFault(path, `uses \${${name}}, a secret of Sluice's own, which must not leave it`);
      return '';
    }
    const value = variables.get(name) ?? preset;
    if (value === undefined) onFault(path, `uses \${${name}}, which is not set and has no default`);
    return value ?? '';
  });
}
