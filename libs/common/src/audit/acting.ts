import { AsyncLocalStorage } from 'node:async_hooks';

/** Who does something: an account, the holder of `ADMIN_KEY`, or Sluice by itself. */
export type Actor =
  | { readonly kind: 'user'; readonly id: string }
  | { readonly kind: 'adminKey' }
  | { readonly kind: 'system' };

/** In whose name work is done, and where the request for it came from. */
export interface Acting {
  readonly actor: Actor;
  readonly ip: string | null;
  readonly requestId: string | null;
}

const NOBODY: Acting = { actor: { kind: 'system' }, ip: null, requestId: null };

const current = new AsyncLocalStorage<Acting>();

/** Runs the work in somebody's name, with everything it calls and waits for. */
export function actingAs<T>(acting: Acting, work: () => T): T {
  return current.run(acting, work);
}

/** In whose name the code at hand runs; outside of {@link actingAs} it is Sluice by itself. */
export function whoActs(): Acting {
  return current.getStore() ?? NOBODY;
}
