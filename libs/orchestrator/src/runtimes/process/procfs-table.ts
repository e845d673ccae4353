import { readdir, readFile } from 'node:fs/promises';
import type { SliceUsage } from '../slice-runtime.js';
import type { ProcessIdentity, ProcessTable } from './process-table.js';
import { lookUnless } from './system-error.js';

/** proc_pid_stat(5) counts CPU time in USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** ENOENT: no such process; ESRCH: it ended in mid-read. */
const GONE = ['ENOENT', 'ESRCH'];

/** Another user's process, where the system hides those (hidepid in proc(5)): no slice is one. */
const NOT_OURS = [...GONE, 'EACCES', 'EPERM'];

interface ProcessStat {
  groupId: number;
  cpuTicks: number;
  startTime: string;
}

/** Linux: proc(5). */
export class ProcfsTable implements ProcessTable {
  async identify(pid: number): Promise<ProcessIdentity | null> {
    const stat = await readStat(pid, GONE);
    if (stat === null) return null;
    const bootId = await lookUnless([], readFile('/proc/sys/kernel/random/boot_id', 'utf8'));
    return { pid, startTime: stat.startTime, bootId: bootId?.trim() ?? '' };
  }

  async members(groupId: number): Promise<number[]> {
    const names = (await lookUnless([], readdir('/proc'))) ?? [];
    const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
    const stats = await Promise.all(pids.map((pid) => readStat(pid, NOT_OURS)));
    return pids.filter((_, i) => stats[i]?.groupId === groupId);
  }

  async hasEnvironment(pid: number, name: string, value: string): Promise<boolean> {
    const environ = await lookUnless(NOT_OURS, readFile(`/proc/${pid}/environ`, 'utf8'));
    return environ?.split('\0').includes(`${name}=${value}`) ?? false;
  }

  async usage(pids: readonly number[]): Promise<SliceUsage> {
    const each = await Promise.all(pids.map(usageOf));
    return {
      memoryBytes: each.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
      cpuSeconds: each.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    };
  }
}

async function usageOf(pid: number): Promise<SliceUsage> {
  const [stat, status] = await Promise.all([
    readStat(pid, GONE),
    lookUnless(GONE, readFile(`/proc/${pid}/status`, 'utf8')),
  ]);
  const residentKib = Number(/^VmRSS:\s+(\d+) kB/m.exec(status ?? '')?.[1] ?? 0);
  return { memoryBytes: residentKib * 1024, cpuSeconds: (stat?.cpuTicks ?? 0) / TICKS_PER_SECOND };
}

async function readStat(pid: number, unless: readonly string[]): Promise<ProcessStat | null> {
  const text = await lookUnless(unless, readFile(`/proc/${pid}/stat`, 'utf8'));
  if (text === null) return null;
  // Field 2, the program's name in brackets, may hold blanks and brackets itself: count from the last bracket on.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): string => fields[number - 3] ?? '';
  // A leader thread may be a zombie before its other threads have let go of the sockets.
  const isZombie = field(3) === 'Z' || field(3) === 'X';
  if (isZombie && Number(field(20)) <= 1) return null;
  return {
    groupId: Number(field(5)),
    cpuTicks: Number(field(14)) + Number(field(15)),
    startTime: field(22),
  };
}
