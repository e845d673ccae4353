import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assert as assertProperty, asyncProperty } from 'fast-check';
import { ASSIGNED_SLICES, customerWith } from '../support/assigned-slices.js';
import {
  comparable,
  expectedOf,
  type ExpectedRequest,
  type KnownCustomer,
} from '../support/expected-request.js';
import { Gateway } from '../support/gateway.js';
import { bytesOf, conversations, writesOf, type Conversation } from '../support/mutated-requests.js';
import { RawClient } from '../support/raw-client.js';
import { soak } from '../support/soak.js';
import {
  INCOMPLETE,
  takeAnswer,
  takeRequest,
  valuesIn,
  type StrictAnswer,
  type StrictRequest,
} from '../support/strict-http.js';
import { StrictUpstream } from '../support/strict-upstream.js';

/**
 * The threat: bytes of which nobody has thought yet. Mutated requests go through the gateway to an upstream with a strict
 * parser of its own, and whatever reaches it has to be what the very same parser reads in the client's bytes.
 */
const AT_LEAST = soak(10_000, 1_000);
const AT_MOST = 10_000;
const BATCH = 250;
const QUICK_MS = 12_000;
const ANSWER_WITHIN_MS = 10_000;
/** Beside an upgrade that is ignored Node does not tell of a body that breaks: it just ends no more. */
const UPLOAD_IDLE_MS = 1_000;
/** To repeat a failed run: its seed is in the report of the failure, and this sets it. */
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000_000);

let gateway: Gateway;
let upstream: StrictUpstream;
let customers: KnownCustomer[];
/** What may arrive, by target; some of it does after its client has gone. */
const expectations = new Map<string, ExpectedRequest[]>();
const faults: string[] = [];
let conversation = 0;
let sent = 0;
let arrived = 0;

beforeAll(async () => {
  upstream = await StrictUpstream.start(arrive);
  gateway = await Gateway.start({ ...ASSIGNED_SLICES, limits: { uploadIdleMs: UPLOAD_IDLE_MS } });
  customers = [await knownCustomer(), await knownCustomer()];
}, 30_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function knownCustomer(): Promise<KnownCustomer> {
  const { browser, email, userId } = await customerWith(gateway, upstream);
  return { cookie: browser.cookie, email, userId };
}

/** Called by the upstream. Nothing may arrive twice, so what has arrived is expected no more. */
function arrive(request: StrictRequest): void {
  arrived++;
  const expected = expectations.get(request.target) ?? [];
  const faultsOfEach = expected.map((each) => faultOf(request, each));
  const at = faultsOfEach.indexOf(null);
  if (at === -1) faults.push(`Nobody sent ${JSON.stringify(request)}`, ...faultsOfEach.map(String));
  else expected.splice(at, 1);
}

/** What makes it another request than this one; null where nothing does. */
function faultOf(request: StrictRequest, { host, ...expected }: ExpectedRequest): string | null {
  try {
    expect(comparable(request)).toEqual(expected);
    if (host !== null) expect(valuesIn(request.fields, 'host')).toEqual([host]);
    expect(valuesIn(request.fields, 'x-request-id')).toEqual([expect.stringMatching(/^[\w-]{36}$/)]);
    for (const { cookie } of customers) expect(JSON.stringify(request.fields)).not.toContain(cookie);
    return null;
  } catch (error) {
    return String(error);
  }
}

function expectArrival(request: StrictRequest): void {
  const expected = expectedOf(request, customers);
  if (expected === null) return;
  const others = expectations.get(expected.target) ?? [];
  expectations.set(expected.target, [...others, expected]);
}

/** The requests that the client's bytes hold, up to where they are in doubt, and how they end. */
function readAll(text: string): { requests: StrictRequest[]; end: 'whole' | 'unfinished' | 'in doubt' } {
  const requests: StrictRequest[] = [];
  try {
    for (let rest = text; rest !== '';) {
      const request = takeRequest(rest, 'client');
      if (request === INCOMPLETE) return { requests, end: 'unfinished' };
      requests.push(request);
      rest = request.rest;
    }
  } catch {
    return { requests, end: 'in doubt' };
  }
  return { requests, end: 'whole' };
}

/** The final answers in what came back; a byte that belongs to none is an error, but for a last one that is cut off. */
function answersIn(received: string, methods: readonly string[]): StrictAnswer[] {
  const answers: StrictAnswer[] = [];
  for (let rest = received; rest !== '';) {
    const answer = takeAnswer(rest, methods[answers.length]);
    if (answer === INCOMPLETE) return answers;
    if (answer.status >= 200) answers.push(answer);
    rest = answer.rest;
  }
  return answers;
}

async function send(bytes: string, parts: readonly string[]): Promise<void> {
  const { requests, end } = readAll(bytes);
  const methods = requests.map(({ method }) => method);
  requests.forEach(expectArrival);
  using client = await RawClient.connect(Number(new URL(gateway.url).port));
  client.socket.setNoDelay(true);
  for (const part of parts) {
    if (client.socket.writable) await new Promise((resolve) => client.socket.write(part, 'latin1', resolve));
    await new Promise(setImmediate);
  }
  // What is in doubt it has to end by itself; else it may wait for more.
  if (end !== 'in doubt') {
    await answeredOrClosed(client, methods);
    client.socket.end();
  }
  await withinReason(client.closed, () => `no end; received ${JSON.stringify(client.received)}`);
  const answers = answersIn(client.received, methods);
  expect(answers.length).toBeLessThanOrEqual(requests.length + (end === 'whole' ? 0 : 1));
  answers.forEach((answer, i) => expectOwnAnswer(answer, requests[i]));
}

/** Whatever an upstream answered has to stand in the place of the request that it is the answer to. */
function expectOwnAnswer({ fields, body, status }: StrictAnswer, request: StrictRequest | undefined): void {
  const [saw] = valuesIn(fields, 'x-saw');
  if (saw === undefined) {
    expect([204, 400, 401, 404, 405, 408, 413, 414, 415, 417, 431, 501]).toContain(status);
    return;
  }
  if (request === undefined) throw new Error('An answer to what is no request');
  const target = decodeURIComponent(saw);
  expect(target).toBe(expectedOf(request, customers)?.target);
  expect(body).toBe(request.method === 'HEAD' ? '' : target);
}

async function answeredOrClosed(client: RawClient, methods: readonly string[]): Promise<void> {
  const answered = new Promise<void>((resolve) => {
    const look = (): void => {
      if (answersIn(client.received, methods).length >= methods.length) resolve();
    };
    client.socket.on('data', look);
    look();
  });
  await withinReason(Promise.race([answered, client.closed]), () => `no answer; received ${client.received}`);
}

/** A bound for what is awaited; it is met only by a gateway that hangs. */
async function withinReason(awaited: Promise<void>, what: () => string): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(() => late.reject(new Error(what())), ANSWER_WITHIN_MS);
  try {
    await Promise.race([awaited, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function hold({ requests, edit, cuts }: Conversation): Promise<void> {
  const id = ++conversation;
  const texts = requests.map(({ mutant, who }, i) =>
    bytesOf(mutant, `/api/m${id}.${i}`, `Cookie: ${customers[who]?.cookie}\r\n`),
  );
  const last = `GET /api/m${id}.end HTTP/1.1\r\nHost: a\r\nCookie: ${customers[0]?.cookie}\r\nConnection: close\r\n\r\n`;
  const parts = writesOf(texts.join('') + last, { edit, cuts });
  sent += texts.length;
  faults.length = upstream.faults.length = 0;
  await send(parts.join(''), parts);
  expect(faults).toEqual([]);
  expect(upstream.faults).toEqual([]);
}

async function expectAlive(): Promise<void> {
  const answer = await RawClient.exchange(Number(new URL(gateway.url).port), control());
  expect(takeAnswer(answer, 'GET')).toMatchObject({ status: 200, body: '/api/control' });
}

function control(): string {
  const text = `GET /api/control HTTP/1.1\r\nHost: a\r\nCookie: ${customers[1]?.cookie}\r\nConnection: close\r\n\r\n`;
  const request = takeRequest(text, 'client');
  if (request === INCOMPLETE) throw new Error('The control request is not whole');
  expectArrival(request);
  return text;
}

describe('Mutated requests', () => {
  it(
    'reach the upstream as the gateway read them, or not at all',
    async () => {
      const deadline = performance.now() + QUICK_MS;
      for (let runs = 0; runs < AT_MOST && (runs < AT_LEAST || performance.now() < deadline); runs += BATCH) {
        await assertProperty(asyncProperty(conversations, hold), {
          numRuns: BATCH,
          seed: SEED + runs,
          // Shrinking is bounded as well.
          interruptAfterTimeLimit: 60_000,
        });
        await expectAlive();
      }
      // The mutants are not all refused, nor all harmless.
      expect(arrived / sent).toBeGreaterThan(0.3);
      expect(arrived / sent).toBeLessThan(1.3);
    },
    soak(1_800_000, 180_000),
  );
});
