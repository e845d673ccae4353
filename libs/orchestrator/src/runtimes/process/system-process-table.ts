import { existsSync } from 'node:fs';
import type { ProcessTable } from './process-table.js';
import { ProcfsTable } from './procfs-table.js';
import { PsTable } from './ps-table.js';

/** /proc where there is one (Linux), else ps(1) (macOS, the BSDs). */
export function systemProcessTable(): ProcessTable {
  return existsSync('/proc/self/stat') ? new ProcfsTable() : new PsTable();
}
