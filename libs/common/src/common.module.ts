import { Global, Module } from '@nestjs/common';
import { OpenStreams } from './http/open-streams.js';
import { Metrics } from './metrics/metrics.js';
import { Clock, SystemClock } from './time/clock.js';

/** What every library may inject. */
@Global()
@Module({
  providers: [{ provide: Clock, useClass: SystemClock }, OpenStreams, Metrics],
  exports: [Clock, OpenStreams, Metrics],
})
export class CommonModule {}
