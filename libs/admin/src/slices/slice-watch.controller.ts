import { Controller, Get, Header, Headers, Param, Query, type StreamableFile } from '@nestjs/common';
import type { z } from 'zod';
import { ApiErrors, type CredentialHeaders, CurrentPrincipal, type Principal, RequireAdmin } from '#auth';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '#common';
import { ADDRESS_ERRORS, sliceId } from '#orchestrator';
import {
  followQuery,
  lastEventId,
  type SliceEventsAnswer,
  sliceEventsResponse,
  type SliceLog,
  sliceLogResponse,
} from './schemas.js';
import { SliceWatch } from './slice-watch.js';

type Follow = z.infer<typeof followQuery>;

/** Neither is for a proxy to hold back, nor for compression: each line is to be there as it is written. */
const AS_IT_COMES = 'no-store, no-transform';
const FOLLOWED =
  'With `?follow=true` they go on as server-sent events, until the client leaves, its access ends, or an hour is over; ' +
  'a browser’s EventSource comes again by itself.';

@ApiTags('admin')
@RequireAdmin('keyOrSession')
@ApiErrors('DATABASE_UNAVAILABLE', 'RATE_LIMITED', 'SHUTTING_DOWN', ...ADDRESS_ERRORS)
@Controller('admin/slices')
export class SliceWatchController {
  constructor(private readonly watch: SliceWatch) {}

  @Get(':id/logs')
  @Header('Cache-Control', AS_IT_COMES)
  @Header('X-Accel-Buffering', 'no')
  @ApiOperation({
    summary: 'The last 500 lines a slice wrote, on both of its streams',
    description: `${FOLLOWED} Each event \`line\` has one line as its data.`,
  })
  @ApiProduces('application/json', 'text/event-stream')
  @ApiOkResponse({ description: 'The oldest line first', standardSchema: sliceLogResponse })
  @ApiErrors('SLICE_NOT_MANAGED', 'RUNTIME_UNAVAILABLE')
  logs(
    @Param('id', { schema: sliceId }) id: number,
    @Query({ schema: followQuery }) { follow }: Follow,
    @CurrentPrincipal() principal: Principal,
    @Headers() headers: CredentialHeaders,
  ): Promise<SliceLog | StreamableFile> {
    return this.watch.logs(id, follow === 'true', { principal, headers });
  }

  @Get(':id/events')
  @Header('Cache-Control', AS_IT_COMES)
  @Header('X-Accel-Buffering', 'no')
  @ApiOperation({
    summary: 'The last 100 steps that were taken with a slice, on whichever replica',
    description: `${FOLLOWED} Each event \`step\` has one of them as JSON, and its id, so that none is missed.`,
  })
  @ApiHeader({ name: 'Last-Event-ID', required: false, schema: { type: 'string' } })
  @ApiProduces('application/json', 'text/event-stream')
  @ApiOkResponse({ description: 'The oldest step first', standardSchema: sliceEventsResponse })
  events(
    @Param('id', { schema: sliceId }) id: number,
    @Query({ schema: followQuery }) { follow }: Follow,
    @Headers('last-event-id') lastId: string | undefined,
    @CurrentPrincipal() principal: Principal,
    @Headers() headers: CredentialHeaders,
  ): Promise<SliceEventsAnswer | StreamableFile> {
    return this.watch.steps(id, follow === 'true', lastEventId(lastId), { principal, headers });
  }
}
