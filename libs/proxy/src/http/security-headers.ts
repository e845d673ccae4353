import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';

/** A header as it is sent, with the lower-cased name that it is compared by. */
export interface StaticHeader {
  readonly name: string;
  readonly key: string;
  readonly value: string;
}

/**
 * Helmet's headers as a list. They are the same for every response, so helmet runs once, at load, on a response that
 * nobody reads; the list can't drift from the library that way, and a response costs no middleware.
 */
export const SECURITY_HEADERS: readonly StaticHeader[] = collect();

/** The same list as name, value, name, value …, as `writeHead` takes it. */
export const SECURITY_HEADERS_FLAT: readonly string[] = SECURITY_HEADERS.flatMap(({ name, value }) => [
  name,
  value,
]);

function collect(): StaticHeader[] {
  const req = new IncomingMessage(new Socket());
  const res = new ServerResponse(req);
  helmet({
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-site' },
    // With helmet's `no-referrer` a browser says `Origin: null` when a page posts a form to its own origin (Fetch,
    // "append a request Origin header"), which can't be told from a forged one.
    referrerPolicy: { policy: 'same-origin' },
  })(req, res, () => undefined);
  return Object.entries(res.getHeaders()).map(([key, value]) => ({
    name: titleCase(key),
    key,
    value: String(value),
  }));
}

/** The usual spelling of a header's name; node hands them out in lower case. */
function titleCase(name: string): string {
  return name.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase());
}
