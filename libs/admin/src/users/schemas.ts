import { z } from 'zod';
import { sessionSummary, subscriptionSchema } from '#auth';
import { sliceResponse } from '#orchestrator';
import { count, LARGEST_PAGE, searched } from '../fields.js';

const PAGE_SIZE = 50;
const LARGEST_PAGE_SIZE = 200;

export const userId = z.uuid('must be the id of a user');

/** As a list of sessions names them. */
export const sessionId = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be the id of a session');

export const sessionsResponse = z.array(sessionSummary);
export type SessionView = z.infer<typeof sessionSummary>;

export const usersQuery = z.strictObject({
  page: count(LARGEST_PAGE).default(1),
  pageSize: count(LARGEST_PAGE_SIZE).default(PAGE_SIZE),
  /** A part of the e-mail address. */
  search: searched.optional(),
});
export type UsersQuery = z.infer<typeof usersQuery>;

export const userChangeSchema = z
  .strictObject({ role: z.enum(['member', 'admin']).optional(), disabled: z.boolean().optional() })
  .refine(({ role, disabled }) => role !== undefined || disabled !== undefined, 'must change something')
  .meta({ example: { disabled: true } });
export type UserChange = z.infer<typeof userChangeSchema>;

export const userResponse = z
  .object({
    id: z.uuid(),
    email: z.string(),
    name: z.string().nullable(),
    role: z.enum(['member', 'admin']),
    emailVerified: z.boolean(),
    totpEnabled: z.boolean(),
    disabled: z.boolean(),
    createdAt: z.iso.datetime(),
    slice: sliceResponse.nullable(),
    /** Null when there never was one, or without billing. */
    subscription: subscriptionSchema.nullable(),
  })
  .meta({ id: 'AdministeredUser' });
export type UserView = z.infer<typeof userResponse>;

export const usersResponse = z.object({
  users: z.array(userResponse),
  /** Of all pages. */
  total: z.int(),
  page: z.int(),
  pageSize: z.int(),
});
export type UsersPage = z.infer<typeof usersResponse>;
