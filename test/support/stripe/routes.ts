import { invalid, missing, type Params, type Rule, type Value } from './params.js';

/** A request that the stand-in answers, with the parameters that it may have. */
export interface Route {
  readonly method: string;
  /** Its first group is the id of what it is about. */
  readonly path: RegExp;
  readonly allowed: readonly Rule[];
  readonly values?: readonly Value[];
  readonly answer: (params: Params, id: string) => object;
}

/** Latest first, as Stripe lists everything. */
export function page<T extends { id: string }>(
  all: readonly T[],
  { limit = '10', starting_after: after }: Params,
  render: (each: T) => object,
  url: string,
): object {
  const size = Number(limit);
  if (!(size >= 1 && size <= 100)) throw invalid('limit must be between 1 and 100', 'limit');
  const listed = all.toReversed();
  const from = after === undefined ? 0 : listed.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && from === 0) throw missing('object', String(after), 'starting_after');
  const data = listed.slice(from, from + size);
  return { object: 'list', url, has_more: from + size < listed.length, data: data.map(render) };
}
