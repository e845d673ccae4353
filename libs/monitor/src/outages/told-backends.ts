import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ControlConnection } from '#database';
import { Backends } from '#proxy';
import { BACKEND_PREFIX } from './backend-conditions.js';
import { Outages, OUTAGES_CHANGED } from './outages.js';

/** Lets each gateway say of a backend's downtime whether the operator was told of it: one of them tells for all. */
@Injectable()
export class ToldBackends implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(ToldBackends.name);
  private readonly endings: Array<() => void> = [];
  private reading: Promise<void> = Promise.resolve();

  constructor(
    private readonly outages: Outages,
    private readonly backends: Backends,
    private readonly control: ControlConnection,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.endings.push(
      this.control.onRestored(() => this.reread()),
      await this.control.listen(OUTAGES_CHANGED, () => this.reread()),
    );
    this.reread();
    await this.reading;
  }

  async onModuleDestroy(): Promise<void> {
    for (const end of this.endings) end();
    await this.reading;
  }

  /** One read after the other, so that the latest counts. */
  private reread(): void {
    this.reading = this.reading
      .then(async () => this.backends.told(await this.outages.toldOf(BACKEND_PREFIX)))
      .catch((error: unknown) => {
        this.logger.warn({ err: error }, 'it is not known which backends the operator was told of');
      });
  }
}
