import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import { Agent } from 'undici';
import type { Backend } from './backend.js';
import { Backends } from './backends.js';
import { probe } from './probe.js';

/** How backends are probed. */
export class ProbeOptions {
  /** For the whole of a probe, the GET after a HEAD included. */
  readonly timeoutMs: number = 10_000;
  readonly parallelism: number = 50;

  constructor(options: Partial<ProbeOptions> = {}) {
    Object.assign(this, options);
  }
}

/** Asks backends whether they are up: each one as soon as it is there, and all of them when the monitor says so. */
@Injectable()
export class BackendProber implements OnModuleDestroy {
  private readonly logger = new Logger(BackendProber.name);
  private readonly agent = new Agent({ allowH2: false });
  private readonly slots: LimitFunction;
  private readonly stop = new AbortController();
  private readonly underWay = new Set<Promise<void>>();
  private pass: Promise<void> | null = null;

  constructor(
    private readonly backends: Backends,
    private readonly options: ProbeOptions,
  ) {
    this.slots = pLimit(options.parallelism);
  }

  /**
   * Probes every backend once; a call while that is under way joins it.
   * @param signal ends it early; what was not found out by then stays as it was
   */
  probeAll(signal: AbortSignal = this.stop.signal): Promise<void> {
    this.pass ??= Promise.all(this.backends.all.map((backend) => this.probe(backend, signal)))
      .then(() => undefined)
      .finally(() => {
        this.pass = null;
      });
    return this.pass;
  }

  /** Probes one backend, as soon as there is a slot for it. */
  probe(backend: Backend, signal: AbortSignal = this.stop.signal): Promise<void> {
    const end = AbortSignal.any([signal, this.stop.signal]);
    const probing = this.slots(() => this.ask(backend, end)).finally(() => this.underWay.delete(probing));
    this.underWay.add(probing);
    return probing;
  }

  async onModuleDestroy(): Promise<void> {
    this.stop.abort();
    await Promise.all(this.underWay);
    await this.agent.destroy();
  }

  private async ask(backend: Backend, end: AbortSignal): Promise<void> {
    if (end.aborted) return;
    const { probeUrl } = backend;
    const patience = AbortSignal.any([end, AbortSignal.timeout(this.options.timeoutMs)]);
    const result = await probe(probeUrl, this.agent, patience);
    // What was asked meanwhile is of another path; and who is told to stop has found out nothing.
    if (end.aborted || backend.probeUrl !== probeUrl) return;
    const before = backend.state.status;
    backend.probed(result);
    if (!result.up && before !== 'down') {
      this.logger.warn(`Health check: ${backend.url} is down: ${result.reason}`);
    }
    if (result.up && before === 'down') this.logger.log(`Health check: ${backend.url} is up again`);
  }
}
