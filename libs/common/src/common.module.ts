import { Global, Module } from '@nestjs/common';
import { Clock, SystemClock } from './time/clock.js';

/** What every library may inject. */
@Global()
@Module({ providers: [{ provide: Clock, useClass: SystemClock }], exports: [Clock] })
export class CommonModule {}
