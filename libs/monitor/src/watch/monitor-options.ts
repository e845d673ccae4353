/** How slices are watched. */
export class MonitorOptions {
  /** Of a health check. */
  readonly checkTimeoutMs: number = 10_000;
  /** Of everything else that is asked of a slice in one pass. */
  readonly figuresTimeoutMs: number = 5000;
  /** The runtime has longer than that to say which slices run, by so much for each of them. */
  readonly listPerSliceMs: number = 10;
  /** Checks at once. */
  readonly parallelism: number = 50;
  /** Slices whose databases are asked at once: each costs PostgreSQL a connection. */
  readonly appParallelism: number = 4;
  /** Who takes longer than this no longer holds up the next one, and goes on beside it. */
  readonly patienceMs: number = 500;
  /** How often what is known by now is stored, in a pass. */
  readonly flushMs: number = 250;

  /** A pass begins late by a random time up to this: gateways that started together need not work together. */
  readonly jitterMs: number = 3000;

  constructor(options: Partial<MonitorOptions> = {}) {
    Object.assign(this, options);
  }
}
