/**
 * The values of every cookie that has one of these names, in the order sent (RFC 6265 §5.4). Parsers that give an
 * object keep only one of two cookies of the same name, which is the very case we must see.
 */
export function cookieValues(header: string, names: ReadonlySet<string>): string[] {
  const values: string[] = [];
  for (let start = 0; start < header.length;) {
    const semicolon = header.indexOf(';', start);
    const end = semicolon === -1 ? header.length : semicolon;
    const equals = header.indexOf('=', start);
    if (equals !== -1 && equals < end && names.has(header.slice(start, equals).trim())) {
      values.push(header.slice(equals + 1, end).trim());
    }
    start = end + 1;
  }
  return values;
}

/** The names of all cookies, in the order sent. */
export function cookieNames(header: string): string[] {
  return header.split(';').flatMap((pair) => {
    const equals = pair.indexOf('=');
    return equals === -1 ? [] : [pair.slice(0, equals).trim()];
  });
}
