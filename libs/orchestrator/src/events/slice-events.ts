import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { DataSource, LessThan, MoreThan } from 'typeorm';
import { ControlConnection, SliceEvent } from '#database';

export type NewSliceEvent = Omit<SliceEvent, 'id' | 'slice'>;

/** More that wait to be written would only take memory of a gateway whose database is away. */
const MAX_WAITING = 10_000;
const BATCH = 200;

/**
 * What the reconciler does with each slice, as it happens, on whichever replica. Whoever tells of a step does not wait
 * for it to be written: the step itself matters more.
 */
@Injectable()
export class SliceEvents implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(SliceEvents.name);
  private readonly listeners = new Map<number, Set<() => void>>();
  private waiting: NewSliceEvent[] = [];
  private writing: Promise<void> | null = null;
  private stopListening: (() => void) | null = null;

  constructor(
    private readonly dataSource: DataSource,
    private readonly control: ControlConnection,
  ) {}

  async onModuleInit(): Promise<void> {
    this.stopListening = await this.control.listen('slice_event', (id) => this.announce(Number(id)));
    // What was told meanwhile was not heard.
    this.control.onRestored(() => [...this.listeners.keys()].forEach((id) => this.announce(id)));
  }

  async onModuleDestroy(): Promise<void> {
    this.stopListening?.();
    await this.writing;
  }

  add(event: NewSliceEvent): void {
    if (this.waiting.length >= MAX_WAITING) return;
    this.waiting.push(event);
    this.writing ??= this.write().finally(() => (this.writing = null));
  }

  /**
   * Events of a slice, the oldest of them first.
   * @param after only those behind the one of this id
   */
  async after(sliceId: number, after: string, limit: number): Promise<SliceEvent[]> {
    return this.dataSource
      .getRepository(SliceEvent)
      .find({ where: { sliceId, id: MoreThan(after) }, order: { id: 'ASC' }, take: limit });
  }

  /** The last events of a slice, the oldest of them first. */
  async last(sliceId: number, limit: number): Promise<SliceEvent[]> {
    const found = await this.dataSource
      .getRepository(SliceEvent)
      .find({ where: { sliceId }, order: { id: 'DESC' }, take: limit });
    return found.toReversed();
  }

  /** Calls back when there may be something new of a slice, until the function given is called. */
  subscribe(sliceId: number, listener: () => void): () => void {
    const listeners = this.listeners.get(sliceId) ?? new Set();
    this.listeners.set(sliceId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.listeners.get(sliceId) === listeners) this.listeners.delete(sliceId);
    };
  }

  /** Deletes what is older. */
  async sweep(before: Date): Promise<void> {
    await this.dataSource.getRepository(SliceEvent).delete({ at: LessThan(before) });
  }

  /** In the order in which they were told; what can't be written is lost, and said once. */
  private async write(): Promise<void> {
    // The steps that follow at once go along.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, BATCH);
      try {
        await this.dataSource.getRepository(SliceEvent).insert(batch);
      } catch (error) {
        const lost = batch.length + this.waiting.length;
        this.waiting = [];
        this.logger.warn({ err: error }, `${lost} steps of slices could not be written down`);
      }
    }
  }

  private announce(sliceId: number): void {
    this.listeners.get(sliceId)?.forEach((listener) => listener());
  }
}
