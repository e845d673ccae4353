import { ControlConnection } from '#database';
import type { Gateway } from './gateway.js';

/** Resolves when a gateway has heard all that was told before: notifications come in the order of their commits. */
export async function allHeard(gateway: Gateway): Promise<void> {
  const control = gateway.get(ControlConnection);
  const heard = Promise.withResolvers<void>();
  const end = await control.listen('all_heard', () => heard.resolve());
  await control.notify('all_heard');
  await heard.promise;
  end();
}
