import type { ServerReading } from '../telemetry/readings.js';
import type { Condition } from './condition.js';

/** A figure that is bad above one bound and well again below another: in between it stays what it was. */
interface Gauge {
  readonly subject: string;
  readonly badAbove: number;
  readonly wellBelow: number;
  readonly what: string;
}

/** The disk that was looked at. */
export interface Disk {
  /** The same whoever looks, and another one for another disk. */
  readonly name: string;
  /** Where it is, for the operator. */
  readonly place: string;
}

export const DISK_PREFIX = 'disk:';

const DISK = { badAbove: 90, wellBelow: 85 };
const CONNECTIONS: Gauge = {
  subject: 'connections',
  badAbove: 80,
  wellBelow: 70,
  what: 'the connections of PostgreSQL',
};

export function diskSubject(name: string): string {
  return DISK_PREFIX + name;
}

/** How the server is. What lies between the bounds, or is not known, is no condition at all: it changes nothing. */
export function serverConditions(reading: ServerReading, { name, place }: Disk): Condition[] {
  const disk = { ...DISK, subject: diskSubject(name), what: `the disk under ${place}` };
  return [
    ...gauged(disk, reading.diskUsedBytes, reading.diskTotalBytes),
    ...gauged(CONNECTIONS, reading.connections, reading.maxConnections),
  ];
}

function gauged(
  { subject, badAbove, wellBelow, what }: Gauge,
  used: number | null,
  total: number | null,
): Condition[] {
  if (used === null || total === null || total === 0) return [];
  const percent = (used / total) * 100;
  if (percent <= badAbove && percent >= wellBelow) return [];
  return [
    {
      subject,
      state: percent > badAbove ? 'bad' : 'well',
      // Told once, so the figure is the one of then: rounded down, that it is not told as less than it was.
      reason: `${Math.floor(percent / 5) * 5} % and more are used`,
      tellAfterMs: 0,
      texts: {
        began: (reason) => ({
          title: `Nearly used up: ${what}`,
          body: `Of ${what} ${reason}.`,
          type: 'warning',
        }),
        ended: (lasted) => ({
          title: `Room again: ${what}`,
          body: `Of ${what} less than ${wellBelow} % are used again, after ${lasted}.`,
          type: 'success',
        }),
      },
    },
  ];
}
