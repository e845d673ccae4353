import { Initial1795201200000 } from './1795201200000-initial.js';

/** Every migration, oldest first. A new one is added at the end; one that was released never changes. */
export const migrations = [Initial1795201200000];
