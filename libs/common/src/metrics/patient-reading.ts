/** Of a scrape, which Prometheus gives up after ten seconds by default. */
const PATIENCE_MS = 2000;

/** Read when somebody asks for the metrics. */
export type GaugeReading = ReadonlyArray<{
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}>;

/**
 * A figure that may be long in coming, or never come: a database that hangs must not take all other figures with it,
 * just when they are wanted. A question without an answer is not asked again: it would pile up.
 */
export class PatientReading {
  private open: Promise<GaugeReading> | null = null;

  constructor(private readonly ask: () => GaugeReading | Promise<GaugeReading>) {}

  /** What it is; nothing where it fails or takes too long. Never rejects. */
  async read(): Promise<GaugeReading> {
    this.open ??= this.question().finally(() => (this.open = null));
    const late = Promise.withResolvers<GaugeReading>();
    const timer = setTimeout(() => late.resolve([]), PATIENCE_MS);
    try {
      return await Promise.race([this.open, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async question(): Promise<GaugeReading> {
    try {
      return await this.ask();
    } catch {
      return [];
    }
  }
}
