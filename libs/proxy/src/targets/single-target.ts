import { ProxyError } from '#common';
import { type Backends, canonicalUrl } from './backends.js';
import type { Target, UpstreamOutcome } from './target.js';
import { type Upstream, upstreamOf } from './upstream.js';

/**
 * The one server behind a service, a mapping or a route. However its probes end, it is asked: there is no other, and
 * its own answer tells more than one of ours.
 */
export class SingleTarget implements Target {
  private readonly url: string | null;
  private readonly upstream: Upstream | null;

  /** @param url null where it comes from a variable that is not set */
  constructor(
    url: string | null,
    private readonly backends: Backends,
  ) {
    this.url = url === null ? null : canonicalUrl(url);
    this.upstream = this.url === null ? null : upstreamOf(this.url);
  }

  pick(): Upstream | ProxyError {
    return this.upstream ?? missingTarget();
  }

  another(): null {
    return null;
  }

  /** For the pools that have the same server. */
  report(_upstream: Upstream, outcome: UpstreamOutcome): void {
    if (this.url !== null) this.backends.get(this.url)?.report(outcome);
  }
}

function missingTarget(): ProxyError {
  return new ProxyError('MISSING_TARGET', 'It is not set where requests of this route are sent.');
}
