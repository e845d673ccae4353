import type { IncomingMessage } from 'node:http';
import { ProxyError } from '#common';

/**
 * The gateway's name in `Via` (RFC 9110 §7.6.3). All replicas of an installation bear the same one, so that a request
 * that comes back is known wherever it arrives.
 */
export class Via {
  readonly #pseudonym: string;

  /** @param installation tells this installation from every other one on the way */
  constructor(installation: string) {
    this.#pseudonym = `sluice-${installation.toLowerCase()}`;
  }

  /** What is added to a request on its way to an upstream. */
  lineFor(req: IncomingMessage): string {
    return `${req.httpVersion} ${this.#pseudonym}`;
  }

  /** Refuses a request that has been here: it would go round until something runs out. */
  refuseReturn(req: IncomingMessage): ProxyError | null {
    const { via } = req.headers;
    if (via === undefined || !this.#isNamedIn(via)) return null;
    return new ProxyError('LOOP_DETECTED', 'The request has been sent to where it came from.');
  }

  /** Hosts are case-insensitive, and what stands for one is too. */
  #isNamedIn(via: string): boolean {
    const hops = via.toLowerCase().split(',');
    return hops.some((hop) => hop.trim().split(/[ \t]+/, 2)[1] === this.#pseudonym);
  }
}
