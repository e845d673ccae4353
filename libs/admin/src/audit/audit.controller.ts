import { Controller, Get, Query } from '@nestjs/common';
import { ApiErrors, RequireAdmin } from '#auth';
import { ApiOkResponse, ApiOperation, ApiTags } from '#common';
import { AuditDirectory } from './audit-directory.js';
import { type AuditPage, auditQuery, type AuditQuery, auditResponse } from './schemas.js';

@ApiTags('admin')
@RequireAdmin('keyOrSession')
@ApiErrors('DATABASE_UNAVAILABLE', 'VALIDATION_FAILED')
@Controller('admin/audit')
export class AuditController {
  constructor(private readonly audit: AuditDirectory) {}

  @Get()
  @ApiOperation({
    summary: 'Who did what, when, from where; the latest first',
    description:
      'What operators change is written down in the same transaction. Secrets never are. Entries are kept for ' +
      '`AUDIT_RETENTION_DAYS`.',
  })
  @ApiOkResponse({ description: 'One page', standardSchema: auditResponse })
  page(@Query({ schema: auditQuery }) query: AuditQuery): Promise<AuditPage> {
    return this.audit.page(query);
  }
}
