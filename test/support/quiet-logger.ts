import type { LoggerService } from '@nestjs/common';

/** For what a test does not look at. */
export const quietLogger: LoggerService = {
  log: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
