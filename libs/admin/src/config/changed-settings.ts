import { isDeepStrictEqual } from 'node:util';
import { type AuditedFacts, redactUrl } from '#common';
import type { SaidSettings } from '#config';

/** Between `//` and `@`: a name, and a password behind it. */
const CREDENTIALS = /(?<=:\/\/)[^/?#@\s]*@/g;

/** The parts of config.yml that differ, as the audit keeps them. Variables stand in them by their names. */
export function changedSettings(
  before: SaidSettings,
  after: SaidSettings,
): { readonly before: AuditedFacts; readonly after: AuditedFacts } {
  const [was, is]: [Record<string, unknown>, Record<string, unknown>] = [{ ...before }, { ...after }];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  const changed = names.filter((name) => !isDeepStrictEqual(was[name], is[name]));
  const only = (all: Record<string, unknown>): AuditedFacts =>
    Object.fromEntries(
      changed.filter((name) => name in all).map((name) => [name, withoutSecrets(all[name])]),
    );
  return { before: only(was), after: only(is) };
}

/** Whoever writes a password into a URL of config.yml need not find it in the audit as well. */
function withoutSecrets(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_key, inner: unknown) =>
    typeof inner === 'string' ? redactUrl(inner.replace(CREDENTIALS, '[redacted]@')) : inner,
  );
}
