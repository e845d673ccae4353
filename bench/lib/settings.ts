import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    profile: { type: 'boolean', default: false },
  },
});

/** How this run was asked for on the command line. */
export const settings = {
  /** The rows to run; all where none is named. */
  rows: positionals,
  rounds: Number(values.rounds),
  /** Of one measurement. */
  seconds: Number(values.seconds),
  warmUpSeconds: 2,
  /** Leaves out the peers whose name does not contain this; Sluice stays. */
  only: values.only,
  /** Whether the gateway writes CPU profiles. */
  profile: values.profile,
} as const;
