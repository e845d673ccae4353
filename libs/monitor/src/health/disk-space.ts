import { statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { keptName } from '#common';
import { AppConfig } from '#config';

/** Of a file system, in bytes. */
export interface Space {
  readonly total: number;
  /** For processes without privileges: some file systems keep a reserve for root. */
  readonly free: number;
}

/** The room on the file system that holds the data directory. */
@Injectable()
export class DiskSpace implements OnModuleInit {
  private named: Promise<string> | null = null;

  constructor(private readonly config: AppConfig) {}

  /** At the start: once the disk is full, which is when its name is wanted, none can be kept any more. */
  async onModuleInit(): Promise<void> {
    await this.name();
  }

  /** Where it is, for the operator. */
  get place(): string {
    return `${this.config.dataDir} of ${hostname()}`;
  }

  /**
   * What the data directory is called whichever gateway has it: a container has another host name than the one before,
   * on the same volume. Where none can be kept, the host's name.
   */
  name(): Promise<string> {
    this.named ??= keptName(join(this.config.dataDir, 'disk')).catch(() => hostname());
    return this.named;
  }

  /** @throws the error of statfs(2) */
  async look(): Promise<Space> {
    const { blocks, bavail, bsize } = await statfs(this.config.dataDir);
    return { total: blocks * bsize, free: bavail * bsize };
  }
}
