const PREFIX = /^__(?:host|secure)-/i;

/** Anything shorter is no secret of ours, and might stand in a harmless text as well. */
const SHORTEST_SECRET = 40;

/**
 * The cookies that belong to the gateway. A slice must neither learn them nor set them: with the session cookie it
 * could act as its own customer, and by setting one it could sign somebody in as somebody else.
 */
export class GatewayCookies {
  readonly #names: ReadonlySet<string>;
  readonly #beginnings: readonly string[];

  /**
   * With or without `__Host-` or `__Secure-`, both of them are covered.
   * @param names whole ones
   * @param beginnings of names that go on differently each time
   */
  constructor(names: readonly string[], beginnings: readonly string[] = []) {
    this.#names = new Set(names.map(withoutPrefix));
    this.#beginnings = beginnings.map(withoutPrefix);
  }

  /** Whether this cookie is the gateway's own. Browsers compare the prefixes case-insensitively (RFC 6265bis §5.4). */
  owns(name: string): boolean {
    const bare = withoutPrefix(name);
    return this.#names.has(bare) || this.#beginnings.some((beginning) => bare.startsWith(beginning));
  }

  /** A `Cookie` header without the gateway's cookies; the rest word for word, null when nothing is left. */
  stripFromRequest(header: string): string | null {
    if (!this.#mayMention(header)) return header;
    const kept = header.split(';').filter((pair) => !this.owns(nameOf(pair)));
    return kept.length === 0 ? null : kept.join(';').trim();
  }

  /** The secrets in the gateway's cookies of a `Cookie` header: session ids, and what else we sign. */
  secretsIn(header: string | undefined): string[] {
    if (header === undefined || !this.#mayMention(header)) return [];
    const secrets: string[] = [];
    for (const pair of header.split(';')) {
      // The length first: it is cheap, and most cookies are short.
      if (pair.length < SHORTEST_SECRET || !this.owns(nameOf(pair))) continue;
      const value = valueOf(pair);
      if (value.length >= SHORTEST_SECRET) secrets.push(value);
    }
    return secrets;
  }

  /**
   * Whether a `Set-Cookie` would make the browser send a cookie of the gateway's. `=session=x` does too: browsers
   * store a cookie without a name, and send its value alone, `session=x`.
   */
  ownsSetCookie(header: string): boolean {
    return this.#mayMention(header) && this.owns(nameOf(header.replace(/^[\s=]+/, '')));
  }

  #mayMention(header: string): boolean {
    for (const name of this.#names) if (header.includes(name)) return true;
    return this.#beginnings.some((beginning) => header.includes(beginning));
  }
}

function nameOf(pair: string): string {
  const end = pair.search(/[=;]/);
  return (end === -1 ? pair : pair.slice(0, end)).trim();
}

function valueOf(pair: string): string {
  return pair.slice(pair.indexOf('=') + 1).trim();
}

function withoutPrefix(name: string): string {
  return name.startsWith('__') ? name.replace(PREFIX, '') : name;
}
