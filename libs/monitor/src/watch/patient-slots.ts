import pLimit, { type LimitFunction } from 'p-limit';

/**
 * So many at once; but who takes longer than the patience gives its slot to the next one, and goes on without. So what
 * hangs holds up nobody, and there are at most `parallelism × its time-out ÷ patience` at once.
 */
export class PatientSlots {
  private readonly slots: LimitFunction;

  constructor(
    parallelism: number,
    private readonly patienceMs: number,
  ) {
    this.slots = pLimit(parallelism);
  }

  /** The outcome of the work, which begins when there is a slot. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const { promise: begun, resolve: begin, reject } = Promise.withResolvers<{ result: Promise<T> }>();
    void this.slots(async () => {
      const result = work();
      begin({ result });
      await this.withPatience(result);
    }).catch(reject);
    return (await begun).result;
  }

  private async withPatience(result: Promise<unknown>): Promise<void> {
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, this.patienceMs);
    const done = result.then(
      () => undefined,
      () => undefined,
    );
    await Promise.race([done, over.promise]);
    clearTimeout(timer);
  }
}
