import { z } from 'zod';

/** As it stands in a query: digits. */
export const count = (largest: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,6}$/, 'must be a whole number from 1')
    .transform(Number)
    .pipe(z.number().max(largest));

export const LARGEST_PAGE = 1_000_000;

/** What is looked for in names, as somebody types it. */
export const searched = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .regex(/^\P{Cc}*$/u, 'must not contain control characters');

/** A moment; with an offset, or in UTC. */
export const time = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2030-01-31T12:00:00Z' })
  .transform((text) => new Date(text));

/** For LIKE, where these three mean something else. */
export function literally(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
