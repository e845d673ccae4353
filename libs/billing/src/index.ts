export { BillingModule } from './billing.module.js';
export { BillingToolsModule } from './billing-tools.module.js';
export { BillingJournal, type BillingStepName, type JournalEntry } from './journal/billing-journal.js';
export { BillingSync, type SyncReport } from './sync/billing-sync.js';
