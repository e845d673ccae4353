import type { IncomingHttpHeaders } from 'node:http';

/** Header fields in the order they came: name, value, name, value …; names in lower case. */
export type HeaderLines = readonly string[];

/** The value of a field, of several joined as a list (RFC 9110 §5.3); undefined where there is none. */
export function fieldOf(lines: HeaderLines, name: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < lines.length; i += 2) {
    if (lines[i] === name) value = value === undefined ? lines[i + 1] : `${value}, ${lines[i + 1]}`;
  }
  return value;
}

/** What Node has parsed, as lines. */
export function headerLines(headers: IncomingHttpHeaders): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().flatMap((line) => [name, line]),
  );
}
