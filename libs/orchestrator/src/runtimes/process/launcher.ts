/**
 * The first thing a slice's process runs, and the only one that isn't the slice's own. It waits for its plan on file
 * descriptor 3; the gateway sends it once the process is on record (run.json). A gateway that dies before that closes
 * the pipe, and the process ends without having become the slice: no slice ever runs that is not on record.
 *
 * Runs as a program of its own, compiled or by Node's type stripping, so it imports nothing of the project. It starts
 * with an empty environment, and the plan comes by the pipe, not as arguments, which every user of the machine can read.
 */
import { closeSync, readFileSync } from 'node:fs';

export interface LaunchPlan {
  /** Absolute: execve(2) does not search PATH. */
  program: string;
  /** With argv[0]. */
  args: string[];
  env: Record<string, string>;
}

const PLAN_FD = 3;

function isPlan(value: unknown): value is LaunchPlan {
  return (
    typeof value === 'object' && value !== null && 'program' in value && 'args' in value && 'env' in value
  );
}

const message = readFileSync(PLAN_FD, 'utf8');
closeSync(PLAN_FD);
// The line end tells a whole plan from one cut short by the gateway's end.
if (message.endsWith('\n')) {
  const plan: unknown = JSON.parse(message);
  if (isPlan(plan)) process.execve?.(plan.program, plan.args, plan.env);
}
