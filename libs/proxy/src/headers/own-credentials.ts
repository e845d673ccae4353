import { bearerToken } from '#common';

/**
 * What can be a credential of the gateway's inside another text: a JWT by HS256, or an API key. It begins where a word
 * does, so that no text makes the search start over within one word.
 */
const CANDIDATES = /(?<![\w-])(?:eyJ[\w-]+\.[\w-]+\.[\w-]{43}|slu_[\w-]+)/g;

/** Nothing shorter can hold one, and most headers are. */
const SHORTEST = 40;

const BASIC = /^basic[ \t]+(\S+)[ \t]*$/i;

/**
 * Finds the gateway's own credentials in a request, wherever somebody put them: an app that saw one could act as its
 * customer, or as the operator. Whoever hides one has nothing to gain, since it is theirs; so what is looked for is
 * what programs do, and not every encoding that there is.
 */
export class OwnCredentials {
  readonly #isOwn: (token: string) => boolean;

  /** @param isOwn whether a token is the gateway's */
  constructor(isOwn: (token: string) => boolean) {
    this.#isOwn = isOwn;
  }

  /** Whether a text holds one. */
  standIn(text: string): boolean {
    if (text.length < SHORTEST) return false;
    const candidates = text.match(CANDIDATES);
    return candidates !== null && candidates.some((candidate) => this.#isOwn(candidate));
  }

  /** Whether an `Authorization` is one, or holds one; as a password, too (RFC 7617). */
  standInAuthorization(value: string): boolean {
    const token = bearerToken(value);
    if (token !== undefined && this.#isOwn(token)) return true;
    const basic = BASIC.exec(value)?.[1];
    return this.standIn(basic === undefined ? value : Buffer.from(basic, 'base64').toString('latin1'));
  }

  /** A `Cookie` header without the pairs that hold one; null when nothing is left. */
  stripCookies(header: string): string | null {
    if (!this.standIn(header)) return header;
    const kept = header.split(';').filter((pair) => !this.standIn(pair));
    return kept.length === 0 ? null : kept.join(';').trim();
  }

  /** A query, with its `?`, without the parameters that hold one; the rest word for word. */
  stripQuery(search: string): string {
    if (!this.standIn(search)) return search;
    const kept = search
      .slice(1)
      .split('&')
      .filter((parameter) => !this.standIn(parameter));
    return kept.length === 0 ? '' : `?${kept.join('&')}`;
  }
}
