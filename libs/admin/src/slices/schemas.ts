import { z } from 'zod';
import { hostName } from '#config';
import { sliceName, sliceResponse } from '#orchestrator';
import { count, LARGEST_PAGE, searched } from '../fields.js';

const PAGE_SIZE = 50;
const LARGEST_PAGE_SIZE = 200;

export const slicesQuery = z.strictObject({
  page: count(LARGEST_PAGE).default(1),
  pageSize: count(LARGEST_PAGE_SIZE).default(PAGE_SIZE),
  status: z.enum(['provisioning', 'active', 'stopped', 'failed', 'destroying']).optional(),
  /** A part of the slice's name or of its owner's e-mail address, or its number. */
  search: searched.optional(),
});
export type SlicesQuery = z.infer<typeof slicesQuery>;

export const administeredSlice = sliceResponse
  .extend({
    ownerEmail: z.string().nullable(),
    /** What is asked of it; `status` is what it has come to. */
    desired: z.enum(['running', 'stopped', 'absent']),
    /** Whether it goes to the next customer who signs up. */
    claimable: z.boolean(),
  })
  .meta({ id: 'AdministeredSlice' });
export type AdministeredSlice = z.infer<typeof administeredSlice>;

export const slicesResponse = z.object({
  slices: z.array(administeredSlice),
  /** Of all pages. */
  total: z.int(),
  page: z.int(),
  pageSize: z.int(),
});
export type SlicesPage = z.infer<typeof slicesResponse>;

export const registrationSchema = z
  .strictObject({
    port: z.int().min(1).max(65_535),
    host: hostName.default('127.0.0.1'),
    name: sliceName.optional(),
  })
  .meta({ example: { port: 8081, host: '10.0.0.7', name: 'acme' } });
export type RegistrationBody = z.infer<typeof registrationSchema>;

export const statusSchema = z
  .strictObject({ status: z.enum(['provisioning', 'active', 'stopped', 'failed']) })
  .meta({ example: { status: 'stopped' } });
export type StatusBody = z.infer<typeof statusSchema>;

export const followQuery = z.strictObject({ follow: z.enum(['true', 'false']).default('false') });

/** `Last-Event-ID`, which a browser sends when it comes again; any other is as good as none. */
export function lastEventId(header: string | undefined): string | null {
  return header !== undefined && /^\d{1,18}$/.test(header) ? header : null;
}

export const sliceLogResponse = z.object({ lines: z.array(z.string()) }).meta({ id: 'SliceLog' });
export type SliceLog = z.infer<typeof sliceLogResponse>;

export const sliceEventResponse = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    /** A step of a pass (`database`, `start`, `health` …), what the slice has become, or `pass` for one that failed. */
    step: z.string(),
    outcome: z.enum(['begun', 'done', 'failed']),
    /** Of what is desired: each change of it begins another. */
    generation: z.int(),
    durationMs: z.int().nullable(),
    /** What went wrong. */
    message: z.string().nullable(),
  })
  .meta({ id: 'SliceEvent' });
export type SliceEventView = z.infer<typeof sliceEventResponse>;

export const sliceEventsResponse = z.object({ events: z.array(sliceEventResponse) });
export type SliceEventsAnswer = z.infer<typeof sliceEventsResponse>;
