import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ApiErrors, BODY_ERRORS, CurrentPrincipal, type Principal, RequireAdmin } from '#auth';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '#common';
import { type Made, PoolAdministration } from './pool-administration.js';
import { PoolViews } from './pool-views.js';
import {
  backendId,
  backendResponse,
  backendsResponse,
  type BackendView,
  type NewBackend,
  newBackendSchema,
  type NewPool,
  newPoolSchema,
  poolName,
  poolResponse,
  poolsResponse,
  type PoolView,
  type RemovedBackend,
  removedBackendQuery,
  removedBackendSchema,
} from './schemas.js';

@ApiTags('admin')
@RequireAdmin('keyOrSession')
@Controller('admin/pools')
export class PoolsController {
  constructor(
    private readonly views: PoolViews,
    private readonly administration: PoolAdministration,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Every pool with its backends and their health, as this gateway sees it' })
  @ApiOkResponse({ description: 'Sorted by name', standardSchema: poolsResponse })
  all(): PoolView[] {
    return this.views.all();
  }

  @Post()
  @ApiOperation({ summary: 'A new pool; repeated, the same one' })
  @ApiCreatedResponse({ description: 'The pool, without backends yet', standardSchema: poolResponse })
  @ApiOkResponse({ description: 'The pool that was there already', standardSchema: poolResponse })
  @ApiErrors(...BODY_ERRORS, 'CONFLICT', 'SET_BY_CONFIG_FILE', 'DATABASE_UNAVAILABLE')
  async create(
    @Body({ schema: newPoolSchema }) pool: NewPool,
    @CurrentPrincipal() by: Principal,
    @Res({ passthrough: true }) response: Response,
  ): Promise<PoolView> {
    return answer(response, await this.administration.create(pool, by));
  }

  @Delete(':pool')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Remove a pool with its backends',
    description:
      'Routes and workers that use it get NO_HEALTHY_BACKEND. Of `input` and `output` only the backends go.',
  })
  @ApiNoContentResponse({ description: 'The pool is gone' })
  @ApiErrors('VALIDATION_FAILED', 'POOL_NOT_FOUND', 'SET_BY_CONFIG_FILE', 'DATABASE_UNAVAILABLE')
  remove(
    @Param('pool', { schema: poolName }) pool: string,
    @CurrentPrincipal() by: Principal,
  ): Promise<void> {
    return this.administration.remove(pool, by);
  }

  @Get(':pool/backends')
  @ApiOperation({ summary: 'The backends of a pool' })
  @ApiOkResponse({ description: 'Those of config.yml first', standardSchema: backendsResponse })
  @ApiErrors('VALIDATION_FAILED', 'POOL_NOT_FOUND')
  backendsOf(@Param('pool', { schema: poolName }) pool: string): BackendView[] {
    return this.views.backendsOf(pool);
  }

  @Post(':pool/backends')
  @ApiOperation({
    summary: 'Add a backend to a pool; repeated, the same one',
    description: 'It takes requests at once on this gateway, and within a second on every other.',
  })
  @ApiCreatedResponse({
    description: 'The backend; its first probe is under way',
    standardSchema: backendResponse,
  })
  @ApiOkResponse({ description: 'The backend that was there already', standardSchema: backendResponse })
  @ApiErrors(...BODY_ERRORS, 'POOL_NOT_FOUND', 'BACKEND_NOT_FOUND', 'DATABASE_UNAVAILABLE')
  async addBackend(
    @Param('pool', { schema: poolName }) pool: string,
    @Body({ schema: newBackendSchema }) backend: NewBackend,
    @CurrentPrincipal() by: Principal,
    @Res({ passthrough: true }) response: Response,
  ): Promise<BackendView> {
    return answer(response, await this.administration.addBackend(pool, backend, by));
  }

  @Delete(':pool/backends')
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove a backend, by its URL in the body or in the query' })
  @ApiNoContentResponse({ description: 'No new request goes there' })
  @ApiErrors(
    ...BODY_ERRORS,
    'POOL_NOT_FOUND',
    'BACKEND_NOT_FOUND',
    'SET_BY_CONFIG_FILE',
    'DATABASE_UNAVAILABLE',
  )
  removeBackend(
    @Param('pool', { schema: poolName }) pool: string,
    @Body({ schema: removedBackendSchema }) body: RemovedBackend,
    @Query({ schema: removedBackendQuery }) query: RemovedBackend,
    @CurrentPrincipal() by: Principal,
  ): Promise<void> {
    return this.administration.removeBackend(pool, body, query, by);
  }

  @Delete(':pool/backends/:id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove a backend, by its id' })
  @ApiNoContentResponse({ description: 'No new request goes there' })
  @ApiErrors('VALIDATION_FAILED', 'POOL_NOT_FOUND', 'BACKEND_NOT_FOUND', 'DATABASE_UNAVAILABLE')
  removeBackendById(
    @Param('pool', { schema: poolName }) pool: string,
    @Param('id', { schema: backendId }) id: string,
    @CurrentPrincipal() by: Principal,
  ): Promise<void> {
    return this.administration.removeBackendById(pool, id, by);
  }
}

/** 201 for what is new, 200 for what was there. */
function answer<View>(response: Response, { isNew, view }: Made<View>): View {
  response.status(isNew ? 201 : 200);
  return view;
}
