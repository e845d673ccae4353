import { Controller, Get, Header, Param, type StreamableFile } from '@nestjs/common';
import { z } from 'zod';
import { ApiErrors, RequireAdmin } from '#auth';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '#common';
import { ApiDocument } from './api-document.js';
import { DOCS_ASSETS, DOCS_PAGE, DOCS_POLICY, type DocsAsset, docsAsset } from './swagger-page.js';

const HTML = { content: { 'text/html': { schema: { type: 'string' } } } } as const;
const ANY_FILE = { content: { '*/*': { schema: {} } } } as const;

const assetName = z.enum(DOCS_ASSETS, 'must be a file of the page');

/** Swagger UI. `SwaggerModule.setup` would serve it past every guard. */
@ApiTags('admin')
@RequireAdmin('keyOrSession')
@Controller('admin')
export class DocumentationController {
  constructor(private readonly document: ApiDocument) {}

  @Get('openapi.json')
  @ApiOperation({ summary: 'The OpenAPI document of this gateway' })
  @ApiOkResponse({ description: 'OpenAPI 3.0', standardSchema: z.record(z.string(), z.unknown()) })
  openapi(): Promise<object> {
    return this.document.get();
  }

  @Get('docs')
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', DOCS_POLICY)
  @ApiOperation({
    summary: 'This API as a page to read and to try out',
    description: 'Open it signed in as an admin; by “Authorize” it takes the admin key for what needs that.',
  })
  @ApiProduces('text/html')
  @ApiOkResponse({ description: 'Swagger UI', ...HTML })
  page(): string {
    return DOCS_PAGE;
  }

  @Get('docs/:asset')
  @ApiOperation({ summary: 'A script, a style or a picture of the page' })
  @ApiOkResponse({ description: 'The file', ...ANY_FILE })
  @ApiErrors('VALIDATION_FAILED')
  asset(@Param('asset', { schema: assetName }) name: DocsAsset): StreamableFile {
    return docsAsset(name);
  }
}
