import { describe, expect, it } from '@jest/globals';
import { Slice } from '#database';
import { customerView } from './customer-view.js';

function failed(lastErrorCode: string | null): Slice {
  const lastError = 'the image registry.internal/app:7 is not on this host, and /srv/sluice says slice_9';
  return Object.assign(new Slice(), { id: 7, name: 'mine', status: 'failed', lastError, lastErrorCode });
}

describe('what a customer sees of their slice', () => {
  it.each(['SLICE_PROVISIONING_FAILED', 'RUNTIME_UNAVAILABLE', 'NO_FREE_PORT', 'OF_LATER', null])(
    'is a sentence for %s, and none of the operator’s own words',
    (code) => {
      const view = customerView(failed(code));
      expect(view).toEqual({
        id: 7,
        name: 'mine',
        status: 'failed',
        error: expect.stringMatching(/your app .*\.$/i),
      });
      expect(view?.error).not.toMatch(/registry|\/srv|slice_9/);
    },
  );

  it('is no error where there is none', () => {
    const slice = Object.assign(failed(null), { lastError: null, status: 'active' });
    expect(customerView(slice)).toEqual({ id: 7, name: 'mine', status: 'active' });
  });
});
