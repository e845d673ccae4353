import { beforeEach, describe, expect, it } from '@jest/globals';
import { SecretBox, SystemClock } from '#common';
import type { ApiKey, ControlConnection } from '#database';
import { newApiKey } from './api-key.js';
import { ApiKeyCache } from './api-key-cache.js';
import { ApiKeyRevocations } from './api-key-revocations.js';
import type { ApiKeyStore } from './api-key-store.js';

const key = newApiKey();
const row = { id: 'id', name: 'x', workerType: 'ping', scopes: null, expiresAt: null, revokedAt: null };

let bus: { healthy: boolean; restored: () => void };
let lookUps: number;
let duringLookUp: () => void;
let stored: typeof row | null;
let revocations: ApiKeyRevocations;
let cache: ApiKeyCache;

beforeEach(() => {
  bus = { healthy: true, restored: () => undefined };
  lookUps = 0;
  duringLookUp = () => undefined;
  stored = row;
  const control = {
    get healthy() {
      return bus.healthy;
    },
    onRestored: (callback: () => void) => {
      bus.restored = callback;
    },
  } as unknown as ControlConnection;
  const store = {
    find: async () => {
      lookUps++;
      const found = stored;
      duringLookUp();
      return found as unknown as ApiKey | null;
    },
  } as unknown as ApiKeyStore;
  revocations = new ApiKeyRevocations(control);
  cache = new ApiKeyCache(
    store,
    revocations,
    control,
    new SecretBox('a secret key of tests'),
    new SystemClock(),
  );
  cache.onModuleInit();
});

/** The key is revoked in the database; the bus tells of it by `revocations.deliver`. */
function revoke(): void {
  stored = null;
}

describe('what is known of API keys', () => {
  it('spares the look-up of a key that was seen before', async () => {
    await cache.find(key);
    expect(await cache.find(key)).toMatchObject({ kind: 'apiKey', id: 'id' });
    expect(lookUps).toBe(1);
  });

  it('is forgotten at a revocation', async () => {
    await cache.find(key);
    revoke();
    revocations.deliver('id');
    expect(await cache.find(key)).toBeNull();
  });

  it('is not kept of a look-up that a revocation overtook', async () => {
    duringLookUp = () => {
      duringLookUp = () => undefined;
      revoke();
      revocations.deliver('id');
    };
    expect(await cache.find(key)).toBeNull();
    expect(lookUps).toBe(2);
  });

  it('is neither used nor kept while the bus is silent', async () => {
    await cache.find(key);
    bus.healthy = false;
    revoke();
    expect(await cache.find(key)).toBeNull();
    stored = row;
    expect(await cache.find(key)).not.toBeNull();
    revoke();
    expect(await cache.find(key)).toBeNull();
  });

  it('is forgotten when the bus is back: nobody knows what was missed', async () => {
    await cache.find(key);
    revoke();
    bus.restored();
    expect(await cache.find(key)).toBeNull();
  });

  it('is not asked for a text that can be no key', async () => {
    expect(await cache.find('slu_short')).toBeNull();
    expect(lookUps).toBe(0);
  });
});
