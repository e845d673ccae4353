import type { Slice } from '#database';

/** A slice as an operator sees it. */
export interface SliceView {
  id: number;
  name: string;
  status: Slice['status'];
  host: string | null;
  port: number | null;
  runtime: Slice['runtime'];
  image: string | null;
  owner: string | null;
  createdAt: string;
  lastHealthyAt: string | null;
  error?: string;
}

export function sliceView(slice: Slice): SliceView {
  return {
    id: slice.id,
    name: slice.name,
    status: slice.status,
    host: slice.host,
    port: slice.port,
    runtime: slice.runtime,
    image: slice.image,
    owner: slice.ownerId,
    createdAt: slice.createdAt.toISOString(),
    lastHealthyAt: slice.lastHealthyAt?.toISOString() ?? null,
    ...(slice.lastError === null ? {} : { error: slice.lastError }),
  };
}
