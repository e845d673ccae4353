import type { LoggerService } from '@nestjs/common';
import { inspect } from 'node:util';

/** Keeps every line that is logged, each with all that it was given. */
export class RecordingLogger implements LoggerService {
  readonly lines: string[] = [];

  log(...parts: unknown[]): void {
    this.record('log', parts);
  }

  warn(...parts: unknown[]): void {
    this.record('warn', parts);
  }

  error(...parts: unknown[]): void {
    this.record('error', parts);
  }

  private record(level: string, parts: unknown[]): void {
    this.lines.push(`${level} ${parts.map((part) => inspect(part, { depth: 10 })).join(' ')}`);
  }
}
