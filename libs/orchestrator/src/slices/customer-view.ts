import type { CustomerSlice } from '#auth';
import type { OrchestratorErrorCode } from '#common';
import type { Slice } from '#database';

const GENERAL = 'Something is wrong with your app just now. Please ask for help.';

/** What went wrong in the operator's own words tells of images, paths and other slices: it is never a customer's. */
const SENTENCES: Partial<Record<string, string>> = {
  SLICE_PROVISIONING_FAILED: 'Your app could not be started. Please ask for help.',
  RUNTIME_UNAVAILABLE: "Your app can't be started just now. It is tried again.",
  NO_FREE_PORT: 'There is no room for your app just now. Please ask for help.',
  SLICE_UNHEALTHY: 'Your app does not answer, and restarting it did not help. Please ask for help.',
  SLICE_DESTROY_FAILED: 'Your app could not be removed yet. It is tried again.',
} satisfies Partial<Record<OrchestratorErrorCode, string>>;

/** What customers see of their own slice: not where it is, and not what it is made of. */
export function customerView(slice: Slice | null): CustomerSlice | null {
  if (slice === null || slice.status === 'destroyed') return null;
  const { id, name, status, lastError, lastErrorCode } = slice;
  return { id, name, status, ...(lastError === null ? {} : { error: sentenceOf(lastErrorCode) }) };
}

function sentenceOf(code: string | null): string {
  return (code === null ? undefined : SENTENCES[code]) ?? GENERAL;
}
