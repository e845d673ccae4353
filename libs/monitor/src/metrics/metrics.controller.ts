import { Controller, Get, Header } from '@nestjs/common';
import { RequireAdmin } from '#auth';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags, Metrics } from '#common';

/** For Prometheus, which sends the admin key as `Authorization: Bearer`. */
@ApiTags('health')
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get()
  @RequireAdmin('key')
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiOperation({ summary: 'The metrics of this gateway, for Prometheus' })
  @ApiProduces('text/plain')
  @ApiOkResponse({
    description: 'In the text format of Prometheus; docs/metrics.md says what each of them is',
    content: { 'text/plain': { schema: { type: 'string' } } },
  })
  all(): Promise<string> {
    return this.metrics.text();
  }
}
