import { request } from 'undici';
import { errorCode } from '#common';
import { ChannelError } from './channel.js';

const TIMEOUT_MS = 10_000;
/** Enough for a connection to be used again; the rest of a long answer is of no interest. */
const ANSWER_LIMIT = 16_384;

/**
 * Posts JSON, with the credentials that stand in the URL as `Authorization` (RFC 7617).
 * @throws ChannelError when the answer is not 2xx; redirects are not followed: what is signed for one place is not for another
 */
export async function postJson(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const target = new URL(url);
  const authorization = basicAuthorization(target);
  target.username = '';
  target.password = '';
  let status: number;
  try {
    const answer = await request(target, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'sluice',
        ...(authorization === null ? {} : { authorization }),
        ...headers,
      },
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      reset: true,
    });
    status = answer.statusCode;
    await answer.body.dump({ limit: ANSWER_LIMIT }).catch(() => undefined);
  } catch (error) {
    throw new ChannelError(errorCode(error) ?? 'no answer');
  }
  if (status < 200 || status >= 300) throw new ChannelError(`HTTP ${status}`);
}

function basicAuthorization({ username, password }: URL): string | null {
  if (username === '' && password === '') return null;
  const pair = `${decoded(username)}:${decoded(password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** A `%` that stands for itself is taken as it is: URLs may hold one (WHATWG), though it ought to be `%25`. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
