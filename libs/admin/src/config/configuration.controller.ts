import { Controller, Get, HttpCode, Post, Put, type StreamableFile } from '@nestjs/common';
import { ApiErrors, BODY_ERRORS, CurrentPrincipal, type Principal, RequireAdmin } from '#auth';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '#common';
import { type SaidSettings, settingsJsonSchema } from '#config';
import { ConfigurationBody, PreferredFormat } from './configuration-body.js';
import { ConfigurationService } from './configuration.service.js';
import {
  type ChangedConfiguration,
  changedConfigurationResponse,
  type ConfigurationFormat,
  configurationResponse,
  type SubmittedConfiguration,
} from './schemas.js';

const CONFIGURATION_EXAMPLE = {
  services: { kira: { url: 'http://kira:3010', path: '/api/kira', health: '/health' } },
  pools: { input: { backends: ['http://10.0.0.5:8080'] } },
};

@ApiTags('admin')
@RequireAdmin('keyOrSession')
@ApiErrors('DATABASE_UNAVAILABLE')
@Controller('admin/config')
export class ConfigurationController {
  constructor(private readonly configuration: ConfigurationService) {}

  @Get()
  @ApiOperation({
    summary: 'The configuration in force: what config.yml says',
    description: 'With `Accept: application/yaml` it is the text itself, comments and all.',
  })
  @ApiProduces('application/json', 'application/yaml')
  @ApiOkResponse({ description: 'The configuration', standardSchema: configurationResponse })
  show(@PreferredFormat() format: ConfigurationFormat): Promise<SaidSettings | StreamableFile> {
    return this.configuration.show(format);
  }

  @Put()
  @ApiOperation({
    summary: 'Put another configuration in the place of the whole one',
    description:
      'It is in force here at once and on the other replicas within a moment, and is written to the file where that is ' +
      'writable. Of a faulty one nothing is taken; `details` names the line of each fault.',
  })
  @ApiConsumes('application/json', 'application/yaml')
  @ApiBody({ schema: { ...settingsJsonSchema('openapi-3.0'), example: CONFIGURATION_EXAMPLE } })
  @ApiOkResponse({ description: 'It is in force', standardSchema: changedConfigurationResponse })
  @ApiErrors(...BODY_ERRORS, 'CONFLICT')
  replace(
    @ConfigurationBody() body: SubmittedConfiguration,
    @CurrentPrincipal() by: Principal,
  ): Promise<ChangedConfiguration> {
    return this.configuration.replace(body, by);
  }

  @Post('reload')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Put in force what stands in the file',
    description: 'It is read by the replica that is asked. A file that is changed is read without that.',
  })
  @ApiOkResponse({ description: 'It is in force', standardSchema: changedConfigurationResponse })
  @ApiErrors('VALIDATION_FAILED', 'CONFIG_FILE_NOT_FOUND', 'CONFLICT')
  reload(@CurrentPrincipal() by: Principal): Promise<ChangedConfiguration> {
    return this.configuration.reload(by);
  }
}
