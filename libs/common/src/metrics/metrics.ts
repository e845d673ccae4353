import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type GaugeReading, PatientReading } from './patient-reading.js';
import { RequestMeters } from './request-meters.js';

const SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** As many as there are intervals of the monitor: a pass may take as long as one. */
const PASS_SECONDS = [...SECONDS, 120, 300, 900, 3600];
const LAG = [1, 5, 15, 60, 300, 900, 3600, 21_600, 86_400];

/**
 * What Prometheus can ask of this gateway. It stands below everything, so that whoever knows a figure records it where
 * it arises. No label ever holds a customer, an address or a path that a client chose: the number of series is bounded
 * by what is configured.
 */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  readonly requests = new RequestMeters(this.registry);

  readonly upstreamErrors = new Counter({
    name: 'sluice_upstream_errors_total',
    help: 'Requests and upgrades that an upstream did not answer as it should, by target and reason',
    labelNames: ['target', 'reason'],
    registers: [this.registry],
  });

  readonly reconcileSteps = new Histogram({
    name: 'sluice_reconcile_step_duration_seconds',
    help: 'How long each step with a slice took, by step and outcome',
    labelNames: ['step', 'outcome'],
    buckets: SECONDS,
    registers: [this.registry],
  });

  /** Seconds since Stripe made the event. */
  readonly webhookLag = new Histogram({
    name: 'sluice_webhook_lag_seconds',
    help: 'From the making of a billing event to its being handled',
    buckets: LAG,
    registers: [this.registry],
  });

  readonly monitorPass = new Histogram({
    name: 'sluice_monitor_pass_duration_seconds',
    help: 'How long the monitor took to look at everything once',
    buckets: PASS_SECONDS,
    registers: [this.registry],
  });

  /** Counted by hand: it is asked for every proxied request. */
  readonly sessionCache = { hits: 0, misses: 0 };

  constructor() {
    const { sessionCache } = this;
    const lookUps = new Counter({
      name: 'sluice_session_cache_lookups_total',
      help: 'Sessions that were asked for by proxied requests, by whether they were known',
      labelNames: ['result'],
      registers: [this.registry],
      collect: () => {
        lookUps.reset();
        lookUps.inc({ result: 'hit' }, sessionCache.hits);
        lookUps.inc({ result: 'miss' }, sessionCache.misses);
      },
    });
  }

  /**
   * A figure that is read when it is asked for.
   * @param read where it fails or takes longer than two seconds, the figure is left out, and all others are told all the same
   */
  gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => GaugeReading | Promise<GaugeReading>,
  ): void {
    const reading = new PatientReading(read);
    const gauge = new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      collect: async () => {
        const readings = await reading.read();
        gauge.reset();
        // Without labels a reset sets it to 0, which would be a reading.
        if (readings.length === 0 && labelNames.length === 0) gauge.remove();
        for (const { labels = {}, value } of readings) gauge.set(labels, value);
      },
    });
  }

  /** In Prometheus' own format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** Everything that there can be, for those who write dashboards and alerts. */
  get names(): string[] {
    return this.registry.getMetricsAsArray().map(({ name }) => name);
  }
}
