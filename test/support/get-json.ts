/**
 * The JSON body of a GET, on a connection of its own.
 * @throws when it can't be had, or the status is not 2xx
 */
export async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(5_000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.json();
}
