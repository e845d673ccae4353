import type { CustomFetch } from 'openid-client';

/** Statuses whose answers have no body (RFC 9110 §6.4.1); `Response` refuses to be given one. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * A fetch that reads at the most `maxBytes` of an answer, decompressed. The provider is somebody else's server, and
 * what reads its answers reads them into memory.
 * @throws TypeError of the fetch, a DOMException of its signal, or RangeError when the answer is larger
 */
export function boundedFetch(maxBytes: number): CustomFetch {
  return async (url, options) => {
    const response = await fetch(url, options);
    const { status, statusText } = response;
    const bytes = await readAtMost(maxBytes, response);
    return new Response(WITHOUT_BODY.has(status) ? null : bytes, {
      status,
      statusText,
      headers: response.headers,
    });
  };
}

async function readAtMost(maxBytes: number, { body }: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.byteLength;
    // Leaving the loop cancels the rest.
    if (length > maxBytes) throw new RangeError(`the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
