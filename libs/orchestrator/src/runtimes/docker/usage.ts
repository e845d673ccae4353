import type Docker from 'dockerode';
import type { SliceUsage } from '../slice-runtime.js';

/**
 * One reading of the engine. Memory is counted as `docker stats` does: less the file cache that can be given up,
 * which cgroup v1 and v2 name differently. Null when the container does not run: then there are no figures.
 */
export function usageOf({ memory_stats: memory, cpu_stats: cpu }: Docker.ContainerStats): SliceUsage | null {
  if (memory.usage === undefined) return null;
  const { total_inactive_file: v1, inactive_file: v2 } = memory.stats;
  return {
    memoryBytes: Math.max(0, memory.usage - (v1 ?? v2 ?? 0)),
    cpuSeconds: cpu.cpu_usage.total_usage / 1e9,
  };
}
