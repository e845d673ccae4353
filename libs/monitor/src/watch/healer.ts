import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '#common';
import { SliceWatch, Transactions } from '#database';
import { SliceSupervision } from '#orchestrator';
import { GIVEN_UP, type Memory, restarted, type Sighting, treat, type Treatment } from './healing.js';

/** Restarts slices that are not well, and remembers what it did, so that another replica goes on from there. */
@Injectable()
export class Healer {
  private readonly logger = new Logger(Healer.name);

  constructor(
    private readonly transactions: Transactions,
    private readonly supervision: SliceSupervision,
    private readonly clock: Clock,
  ) {}

  /**
   * @param held whether none is restarted: they fail for a common cause
   * @param signal ends it between two slices: another replica may be at it by then
   */
  async treat(sightings: readonly Sighting[], held: boolean, signal: AbortSignal): Promise<void> {
    const known = new Map(
      (await this.transactions.manager.find(SliceWatch)).map((watch) => [watch.sliceId, watch]),
    );
    if (held) this.logger.warn('most slices fail their checks at once: none of them is restarted for it');
    for (const sighting of sightings) {
      if (signal.aborted) return;
      await this.treatOne(sighting, known.get(sighting.slice.id) ?? null, held);
      known.delete(sighting.slice.id);
    }
    await this.forgetOthers([...known.values()]);
  }

  private async treatOne(sighting: Sighting, known: Memory | null, held: boolean): Promise<void> {
    const treatment = treat(known, sighting, this.clock.now());
    if (treatment.step === 'none' && treatment.watch === null && known === null) return;
    // Else a restart whose memory is lost would count for none: its slice would be restarted for ever.
    await this.transactions.run(async (manager) => {
      const next = await this.carryOut(treatment, sighting, held);
      if (next !== null) await manager.save(SliceWatch, next);
      else if (known !== null) await manager.delete(SliceWatch, { sliceId: sighting.slice.id });
    });
  }

  /** @returns what is to be remembered */
  private async carryOut(
    { step, watch }: Treatment,
    sighting: Sighting,
    held: boolean,
  ): Promise<Memory | null> {
    const { slice } = sighting;
    if (step === 'restart' && watch !== null && !held) return this.restart(sighting, watch);
    if (step === 'give up' && !held && (await this.supervision.giveUp(slice, GIVEN_UP)))
      this.logger.error({ sliceId: slice.id }, `slice ${slice.id} is failed: restarts did not help`);
    if (step === 'recovered' && (await this.supervision.recovered(slice)))
      this.logger.log({ sliceId: slice.id }, `slice ${slice.id} has recovered`);
    return watch;
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
    await this.transactions.manager.query(
      `DELETE FROM slice_watch WHERE slice_id = ANY($1)
          AND NOT EXISTS (SELECT FROM slice WHERE id = slice_id AND desired_state = 'running' AND destroyed_at IS NULL)`,
      [watches.map(({ sliceId }) => sliceId)],
    );
  }
}
