const PREFIX = /^__(?:host|secure)-/i;

/**
 * The cookies that belong to the gateway. A slice must neither learn them nor set them: with the session cookie it
 * could act as its own customer, and by setting one it could sign somebody in as somebody else.
 */
export class GatewayCookies {
  readonly #names: ReadonlySet<string>;

  /** @param names the configured names, without `__Host-` or `__Secure-`; both prefixes are covered. */
  constructor(names: readonly string[]) {
    this.#names = new Set(names.map(withoutPrefix));
  }

  /** Whether this cookie is the gateway's own. Browsers compare the prefixes case-insensitively (RFC 6265bis §5.4). */
  owns(name: string): boolean {
    return this.#names.has(withoutPrefix(name));
  }

  /** A `Cookie` header without the gateway's cookies; the rest word for word, null when nothing is left. */
  stripFromRequest(header: string): string | null {
    if (!this.#mayMention(header)) return header;
    const kept = header.split(';').filter((pair) => !this.owns(nameOf(pair)));
    return kept.length === 0 ? null : kept.join(';').trim();
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
    return false;
  }
}

function nameOf(pair: string): string {
  const end = pair.search(/[=;]/);
  return (end === -1 ? pair : pair.slice(0, end)).trim();
}

function withoutPrefix(name: string): string {
  return name.startsWith('__') ? name.replace(PREFIX, '') : name;
}
