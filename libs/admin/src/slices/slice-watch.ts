import { Inject, Injectable, type StreamableFile } from '@nestjs/common';
import { OrchestratorError } from '#common';
import type { Slice, SliceEvent } from '#database';
import { orUnavailable, SliceEvents, SliceRuntime, SliceService } from '#orchestrator';
import type { ServerSentEvent } from '../streams/event-stream.js';
import { EventStreams, type Follower } from '../streams/event-streams.js';
import type { SliceEventsAnswer, SliceEventView, SliceLog } from './schemas.js';

const LINES = 500;
const EVENTS = 100;
/** Should a message be lost, it is looked for all the same. */
const LOOK_MS = 10_000;

/** What a slice writes and what is done with it, up to now or as it happens. */
@Injectable()
export class SliceWatch {
  constructor(
    private readonly service: SliceService,
    private readonly events: SliceEvents,
    @Inject(SliceRuntime) private readonly runtime: SliceRuntime,
    private readonly streams: EventStreams,
  ) {}

  /** @throws OrchestratorError SLICE_NOT_FOUND, SLICE_NOT_MANAGED, RUNTIME_UNAVAILABLE; as EventStreams.open */
  async logs(id: number, follow: boolean, by: Follower): Promise<SliceLog | StreamableFile> {
    assertOurs(await this.service.get(id));
    await orUnavailable(this.runtime.check());
    if (follow) return this.streams.open(by, (signal) => this.lines(id, signal));
    const text = await orUnavailable(this.runtime.logs(id, LINES));
    return { lines: text === '' ? [] : text.split('\n') };
  }

  /**
   * @param lastId of the last event that a client had, to go on behind it
   * @throws OrchestratorError SLICE_NOT_FOUND; as EventStreams.open
   */
  async steps(
    id: number,
    follow: boolean,
    lastId: string | null,
    by: Follower,
  ): Promise<SliceEventsAnswer | StreamableFile> {
    await this.service.get(id);
    if (follow) return this.streams.open(by, (signal) => this.followSteps(id, lastId, signal));
    return { events: (await this.events.last(id, EVENTS)).map(eventView) };
  }

  private async *lines(id: number, signal: AbortSignal): AsyncGenerator<ServerSentEvent, void, void> {
    for await (const data of this.runtime.followLogs(id, LINES, signal)) yield { event: 'line', data };
  }

  private async *followSteps(
    id: number,
    lastId: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<ServerSentEvent, void, void> {
    let news = Promise.withResolvers<void>();
    const unsubscribe = this.events.subscribe(id, () => news.resolve());
    signal.addEventListener('abort', () => news.resolve(), { once: true });
    try {
      let known = lastId;
      while (!signal.aborted) {
        // Before the look: what comes during it is looked for once more.
        news = Promise.withResolvers<void>();
        const events =
          known === null ? await this.events.last(id, EVENTS) : await this.events.after(id, known, EVENTS);
        for (const event of events) yield eventOf(event);
        known = events.at(-1)?.id ?? known ?? '0';
        if (events.length < EVENTS && !signal.aborted) await soon(news.promise);
      }
    } finally {
      unsubscribe();
    }
  }
}

async function soon(news: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LOOK_MS).unref();
  });
  await Promise.race([news, timeout]);
  clearTimeout(timer);
}

/** @throws OrchestratorError SLICE_NOT_MANAGED: what it writes is where it runs */
function assertOurs({ id, runtime }: Slice): void {
  if (runtime !== 'external') return;
  throw new OrchestratorError(
    'SLICE_NOT_MANAGED',
    `Slice ${id} was registered as it ran, and keeps its log itself.`,
  );
}

/** A step as an answer has it. */
export function eventView({
  id,
  at,
  step,
  outcome,
  generation,
  durationMs,
  message,
}: SliceEvent): SliceEventView {
  return { id, at: at.toISOString(), step, outcome, generation, durationMs, message };
}

function eventOf(event: SliceEvent): ServerSentEvent {
  return { event: 'step', id: event.id, data: JSON.stringify(eventView(event)) };
}
