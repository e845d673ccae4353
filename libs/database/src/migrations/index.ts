import { Initial1795201200000 } from './1795201200000-initial.js';
import { Callers1795211382076 } from './1795211382076-callers.js';
import { Pools1795875735529 } from './1795875735529-pools.js';
import { Settings1795876757555 } from './1795876757555-settings.js';
import { Billing1795887509992 } from './1795887509992-billing.js';
import { Telemetry1795887600000 } from './1795887600000-telemetry.js';
import { Steering1795888800000 } from './1795888800000-steering.js';
import { BillingSkipped1795900759611 } from './1795900759611-billing-skipped.js';
import { OutageSeen1795905600000 } from './1795905600000-outage-seen.js';

/** Every migration, oldest first. A new one is added at the end; one that was released never changes. */
export const migrations = [
  Initial1795201200000,
  Callers1795211382076,
  Pools1795875735529,
  Settings1795876757555,
  Billing1795887509992,
  Telemetry1795887600000,
  Steering1795888800000,
  BillingSkipped1795900759611,
  OutageSeen1795905600000,
];
