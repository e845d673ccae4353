import { unescape } from 'node:querystring';
import { bearerToken } from '#common';

/**
 * What can be a credential of the gateway's inside another text: a JWT by HS256, or an API key. It begins where a word
 * does, so that no text makes the search start over within one word.
 */
const CANDIDATES = /(?<![\w-])(?:eyJ[\w-]+\.[\w-]+\.[\w-]{43}|slu_[\w-]+)/g;

/** Nothing shorter can hold such a token, and most headers are. */
const SHORTEST_TOKEN = 40;

const BASIC = /^basic[ \t]+(\S+)[ \t]*$/i;

/**
 * Finds the gateway's own credentials in a request, wherever somebody put them: an app that saw one could act as its
 * customer, or as the operator. Whoever hides one has nothing to gain, since it is theirs; so what is looked for is
 * what programs do, and not every encoding that there is.
 */
export class OwnCredentials {
  readonly #isOwn: (token: string) => boolean;
  readonly #secret: string;
  readonly #shortest: number;

  /**
   * @param isOwn whether a token is the gateway's
   * @param secret the operator's key: it has no form to know it by, so it is looked for as it is
   */
  constructor(isOwn: (token: string) => boolean, secret: string) {
    this.#isOwn = isOwn;
    this.#secret = secret;
    this.#shortest = Math.min(SHORTEST_TOKEN, secret.length);
  }

  /**
   * Whether a text holds one, as it is or percent-encoded.
   * @param sessions the session ids that this request presents: its own cookies are the only place they belong
   */
  standIn(text: string, sessions: readonly string[] = []): boolean {
    if (text.length < this.#shortest) return false;
    if (this.#isSpelledIn(text, sessions)) return true;
    return text.includes('%') && this.#isSpelledIn(unescape(text), sessions);
  }

  /** Whether an `Authorization` is one, or holds one; as a password, too (RFC 7617). */
  standInAuthorization(value: string, sessions: readonly string[] = []): boolean {
    const token = bearerToken(value);
    if (token !== undefined && this.#isOwn(token)) return true;
    const basic = BASIC.exec(value)?.[1];
    return this.standIn(basic === undefined ? value : Buffer.from(basic, 'base64').toString(), sessions);
  }

  /** A `Cookie` header without the pairs that hold one; null when nothing is left. */
  stripCookies(header: string, sessions: readonly string[] = []): string | null {
    if (!this.standIn(header, sessions)) return header;
    const kept = header.split(';').filter((pair) => !this.standIn(pair, sessions));
    const rest = kept.join(';').trim();
    // A secret with a `;` in it stands in no single pair.
    return kept.length === 0 || this.standIn(rest, sessions) ? null : rest;
  }

  /** A query, with its `?`, without the parameters that hold one; the rest word for word. */
  stripQuery(search: string, sessions: readonly string[] = []): string {
    if (!this.standIn(search, sessions)) return search;
    const kept = search
      .slice(1)
      .split('&')
      .filter((parameter) => !this.standIn(parameter, sessions));
    const rest = `?${kept.join('&')}`;
    return kept.length === 0 || this.standIn(rest, sessions) ? '' : rest;
  }

  #isSpelledIn(text: string, sessions: readonly string[]): boolean {
    if (text.includes(this.#secret)) return true;
    if (text.length < SHORTEST_TOKEN) return false;
    for (const id of sessions) if (text.includes(id)) return true;
    const candidates = text.match(CANDIDATES);
    return candidates !== null && candidates.some((candidate) => this.#isOwn(candidate));
  }
}
