import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '#common';
import { runProgram } from './run-program.js';

/** What PostgreSQL notes about itself in `postmaster.pid` (src/include/utils/pidfile.h). */
export interface Postmaster {
  pid: number;
  port: number;
  status: string;
}

/** Greater than any pid of Linux (PID_MAX_LIMIT, 2^22) and of macOS (99999). */
const NOBODYS_PID = 4_194_305;

/** The server that runs on a data directory; null when none does, whatever the pid file says. */
export async function runningPostmaster(cluster: string): Promise<Postmaster | null> {
  const noted = await readPidFile(cluster);
  return noted !== null && (await isAlive(noted.pid)) && (await serves(noted.pid, cluster)) ? noted : null;
}

/**
 * Lets the next start pass a pid file that names a process which lives and is no server of this data directory: after
 * a reboot, or a kill -9, its number can belong to anything. PostgreSQL would take it for a running server. The number
 * is replaced and the rest of the file left, because PostgreSQL reads there which shared memory to look at: if the
 * processes of a killed server still use it, it rightly refuses to start.
 */
export async function disarmPidFile(cluster: string): Promise<void> {
  const file = join(cluster, 'postmaster.pid');
  const text = await readText(file);
  if (text === null || (await runningPostmaster(cluster)) !== null) return;
  const [pid, ...rest] = text.split('\n');
  if (pid === undefined || !/^-?\d+$/.test(pid)) await rm(file, { force: true });
  else await writeFile(file, [String(NOBODYS_PID), ...rest].join('\n'));
}

/** Tells whether a process runs; a zombie has ended, though `kill` still finds it where pid 1 does not reap. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
  const stat = await readText(`/proc/${pid}/stat`);
  return stat === null || !/\) [ZX] [^)]*$/.test(stat);
}

async function readPidFile(cluster: string): Promise<Postmaster | null> {
  const [pid, , , port, , , , status] = ((await readText(join(cluster, 'postmaster.pid'))) ?? '').split('\n');
  return Number(pid) > 0
    ? { pid: Number(pid), port: Number(port), status: (status ?? 'starting').trim() }
    : null;
}

/** The postmaster keeps the command line it was started with; its children rename themselves. */
async function serves(pid: number, cluster: string): Promise<boolean> {
  const raw = await readText(`/proc/${pid}/cmdline`);
  const commandLine =
    raw === null
      ? await runProgram('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => '')
      : raw.replaceAll('\0', ' ');
  return `${commandLine.trim()} `.includes(`/postgres -D ${cluster} `);
}

async function readText(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch(() => null);
}
