import { expect } from '@jest/globals';
import { Agent, request, type IncomingHttpHeaders } from 'node:http';

/** An answer as it came, whatever it is. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface RawRequest {
  readonly method: string;
  /** As it goes on the wire: nothing is encoded or normalised. */
  readonly path: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
}

const agent = new Agent({ keepAlive: true });

/** Sends what fetch would not: bodies with any method, paths as they are. */
export function sendRaw(url: string, { method, path, headers = {}, body }: RawRequest): Promise<RawAnswer> {
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, path, headers: { ...length, ...headers }, agent }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** What must not be in any answer: a stack, a query, the inside of a library. */
const INSIDES = /\bat \S+ \(|node_modules|file:\/\/|SELECT |INSERT INTO|QueryFailed|ZodError|\bpg_/;

/** Checks an error against contract §1, and gives its code. */
export function expectContractError(answer: RawAnswer): string {
  const body = JSON.parse(answer.text) as Record<string, unknown>;
  expect(body).toEqual({
    error: body['code'] === 'NOT_FOUND' ? 'Not Found' : String(body['code']).toLowerCase(),
    code: expect.stringMatching(/^[A-Z]+(_[A-Z]+)*$/),
    message: expect.stringMatching(/\S/),
    status: answer.status,
    route: expect.stringMatching(/^(core|auth|orchestrator|proxy|admin|billing|monitor)$/),
    requestId: answer.headers['x-request-id'],
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    ...(body['code'] === 'VALIDATION_FAILED' ? { details: expect.any(Array) } : {}),
  });
  if (body['code'] === 'VALIDATION_FAILED') expectDetails(body['details'] as unknown[]);
  expect(answer.text).not.toMatch(INSIDES);
  // RFC 9110 §15.5.2.
  if (answer.status === 401) expect(answer.headers['www-authenticate']).toBe('Bearer realm="Sluice"');
  return String(body['code']);
}

function expectDetails(details: readonly unknown[]): void {
  expect(details.length).toBeGreaterThan(0);
  for (const detail of details) {
    const { line = null, ...rest } = detail as { readonly line?: unknown };
    expect(rest).toEqual({ path: expect.any(String), message: expect.stringMatching(/\S/) });
    expect(line === null || (Number.isSafeInteger(line) && Number(line) > 0)).toBe(true);
  }
}
