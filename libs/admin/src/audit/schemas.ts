import { z } from 'zod';
import { count, time } from '../fields.js';

const PAGE_SIZE = 50;
const LARGEST_PAGE_SIZE = 200;

/** bigint of PostgreSQL: a larger number is no entry's id, and must not reach a query. */
const entryId = z.string().regex(/^[1-9]\d{0,17}$/, 'must be the id of an entry');

export const auditQuery = z.strictObject({
  limit: count(LARGEST_PAGE_SIZE).default(PAGE_SIZE),
  /** Entries older than the one of this id: `next` of the page before. */
  before: entryId.optional(),
  /** Who did it: the id of an account, `adminKey` or `system`. */
  actor: z
    .union([z.uuid(), z.enum(['adminKey', 'system'])], 'must be the id of a user, adminKey or system')
    .optional(),
  /** One action, or with `.` at its end all of an area: `user.`. */
  action: z
    .string()
    .regex(/^[a-z_]{1,40}\.[a-z_]{0,40}$/, 'must be an action such as user.change, or an area such as user.')
    .optional(),
  /** What it was done to, `slice:7`; without an id everything of the kind. */
  target: z
    .string()
    .regex(/^[A-Za-z]{1,40}(:[^\p{Cc}]{1,200})?$/u, 'must be a target such as slice:7')
    .optional(),
  from: time.optional(),
  to: time.optional(),
});
export type AuditQuery = z.infer<typeof auditQuery>;

const facts = z.record(z.string(), z.unknown()).nullable();

export const auditEntryResponse = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    actor: z.object({
      kind: z.enum(['user', 'adminKey', 'system']),
      /** Of the account. */
      id: z.uuid().nullable(),
      /** Null also once the account is gone. */
      email: z.string().nullable(),
    }),
    action: z.string(),
    target: z.object({ kind: z.string(), id: z.string() }),
    /** What was changed, as it was. */
    before: facts,
    /** The same as it is now, or what was asked for. */
    after: facts,
    /** Where the request came from. */
    ip: z.string().nullable(),
    requestId: z.string().nullable(),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntryView = z.infer<typeof auditEntryResponse>;

export const auditResponse = z.object({
  entries: z.array(auditEntryResponse),
  /** `before` of the next page; null on the last one. */
  next: z.string().nullable(),
});
export type AuditPage = z.infer<typeof auditResponse>;
