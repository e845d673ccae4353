import { Injectable } from '@nestjs/common';
import { AuthLimits } from './auth-limits.js';
import { HitCounter } from './hit-counter.js';
import { machineOf } from './network-of.js';
import { rateLimited } from './rate-limited.js';

/** Names the count of one address for the endpoints of API keys; the guard of our own endpoints counts there as well. */
export function addressKey(kind: string, tracker: string): string {
  return `address:${kind}:${tracker}`;
}

/** The limit of an address on the paths of workers, where no guard runs: at the edge. */
@Injectable()
export class AddressLimit {
  constructor(
    private readonly hits: HitCounter,
    private readonly limits: AuthLimits,
  ) {}

  /**
   * Counts a request that comes, or should come, with an API key.
   * @param ip of the client
   * @throws CoreError RATE_LIMITED
   */
  async admit(ip: string): Promise<void> {
    const { apiKeysPerAddress, windowSeconds } = this.limits;
    const refusal = rateLimited(
      await this.hits.hit(addressKey('apiKeys', machineOf(ip)), windowSeconds),
      apiKeysPerAddress,
      'Too many requests from your address. Please wait before you try again.',
    );
    if (refusal !== undefined) throw refusal;
  }
}
