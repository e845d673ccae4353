import { Controller, Get, Query } from '@nestjs/common';
import { ApiErrors, RequireAdmin } from '#auth';
import { ApiOkResponse, ApiOperation, ApiTags } from '#common';
import { RouteExplainer } from './route-explainer.js';
import { type Explanation, type ExplainQuery, explainQuery, explanationResponse } from './schemas.js';

@ApiTags('admin')
@RequireAdmin('keyOrSession')
@Controller('admin/routes')
export class RoutesController {
  constructor(private readonly explainer: RouteExplainer) {}

  @Get('explain')
  @ApiOperation({ summary: 'Where a request would go by the routes in force, and why; nothing is sent' })
  @ApiOkResponse({ description: 'The rule that matches first', standardSchema: explanationResponse })
  @ApiErrors('VALIDATION_FAILED')
  explain(@Query({ schema: explainQuery }) query: ExplainQuery): Explanation {
    return this.explainer.explain(query);
  }
}
