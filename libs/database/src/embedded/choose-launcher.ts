import { DirectLauncher } from './direct-launcher.js';
import type { Launcher } from './launcher.js';
import { NobodyLauncher } from './nobody-launcher.js';
import { UserNamespaceLauncher } from './user-namespace-launcher.js';

/** Picks the way for the user the gateway runs as. */
export async function chooseLauncher(): Promise<Launcher> {
  if (process.getuid?.() !== 0) return new DirectLauncher();
  return (await UserNamespaceLauncher.available()) ? new UserNamespaceLauncher() : NobodyLauncher.create();
}
