import { statfs } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '#config';

/** Of a file system, in bytes. */
export interface Space {
  readonly total: number;
  /** For processes without privileges: some file systems keep a reserve for root. */
  readonly free: number;
}

/** The room on the file system that holds the data directory. */
@Injectable()
export class DiskSpace {
  constructor(private readonly config: AppConfig) {}

  /** @throws the error of statfs(2) */
  async look(): Promise<Space> {
    const { blocks, bavail, bsize } = await statfs(this.config.dataDir);
    return { total: blocks * bsize, free: bavail * bsize };
  }
}
