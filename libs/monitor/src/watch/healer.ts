import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '#common';
import { SliceWatch } from '#database';
import { SliceSupervision } from '#orchestrator';
import { GIVEN_UP, type Memory, restarted, type Sighting, treat } from './healing.js';

/** So many at once have a common cause, which no restart removes: most likely this gateway does not reach them. */
const COMMON_CAUSE_FROM = 10;

/** Restarts slices that are not well, and remembers what it did, so that another replica goes on from there. */
@Injectable()
export class Healer {
  private readonly logger = new Logger(Healer.name);

  constructor(
    private readonly dataSource: DataSource,
    private readonly supervision: SliceSupervision,
    private readonly clock: Clock,
  ) {}

  /** @param signal ends it between two slices: another replica may be at it by then */
  async treat(sightings: readonly Sighting[], signal: AbortSignal): Promise<void> {
    const { manager } = this.dataSource;
    const known = new Map((await manager.find(SliceWatch)).map((watch) => [watch.sliceId, watch]));
    const held = hasCommonCause(sightings);
    if (held) this.logger.warn('most slices fail their checks at once: none of them is restarted for it');
    for (const sighting of sightings) {
      if (signal.aborted) return;
      await this.treatOne(sighting, known.get(sighting.slice.id) ?? null, held);
      known.delete(sighting.slice.id);
    }
    await this.forgetOthers([...known.values()]);
  }

  private async treatOne(sighting: Sighting, known: Memory | null, held: boolean): Promise<void> {
    const { slice } = sighting;
    const { step, watch } = treat(known, sighting, this.clock.now());
    let next = watch;
    if (step === 'restart' && watch !== null && !held) next = await this.restart(sighting, watch);
    if (step === 'give up' && !held && (await this.supervision.giveUp(slice, GIVEN_UP)))
      this.logger.error({ sliceId: slice.id }, `slice ${slice.id} is failed: restarts did not help`);
    if (step === 'recovered' && (await this.supervision.recovered(slice)))
      this.logger.log({ sliceId: slice.id }, `slice ${slice.id} has recovered`);
    if (next !== null) await this.dataSource.manager.save(SliceWatch, next);
    else if (known !== null) await this.dataSource.manager.delete(SliceWatch, { sliceId: slice.id });
  }

  private async restart({ slice }: Sighting, watch: Memory): Promise<Memory> {
    const generation = await this.supervision.restart(slice);
    // Somebody wants something else of it by now.
    if (generation === null) return watch;
    this.logger.warn(
      { sliceId: slice.id, restarts: watch.restarts + 1 },
      `slice ${slice.id} does not answer its health check, and is restarted`,
    );
    return restarted(watch, generation, this.clock.now());
  }

  /** Those that are not to run any more; those on their way up are not seen just now, and stay. */
  private async forgetOthers(watches: readonly Memory[]): Promise<void> {
    if (watches.length === 0) return;
    await this.dataSource.query(
      `DELETE FROM slice_watch WHERE slice_id = ANY($1)
          AND NOT EXISTS (SELECT FROM slice WHERE id = slice_id AND desired_state = 'running' AND destroyed_at IS NULL)`,
      [watches.map(({ sliceId }) => sliceId)],
    );
  }
}

/** Of those that a restart could be for: what failed long ago, or runs elsewhere, says nothing of a cause of just now. */
function hasCommonCause(sightings: readonly Sighting[]): boolean {
  const running = sightings.filter(({ slice, state }) => slice.status === 'active' && state === 'running');
  const failing = running.filter(({ healthy }) => !healthy).length;
  return failing >= COMMON_CAUSE_FROM && failing * 2 > running.length;
}
