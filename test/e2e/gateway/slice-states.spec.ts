import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assign, ASSIGNED_SLICES, customerWith, type Customer } from '../../support/assigned-slices.js';
import { EchoApp } from '../../support/echo.js';
import { eventually } from '../../support/eventually.js';
import { Gateway } from '../../support/gateway.js';
import { RawClient, statusOf } from '../../support/raw-client.js';

let app: EchoApp;
let gateway: Gateway;
let starting: Customer;

beforeAll(async () => {
  app = await EchoApp.start('1');
  gateway = await Gateway.start(ASSIGNED_SLICES);
  starting = await customerWith(gateway, { port: null, status: 'provisioning' });
}, 30_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

/** What a browser gets that opens the app; by a raw socket, because fetch says of itself that it is a script. */
function visit(line: string): Promise<string> {
  const { cookie } = starting.browser;
  const lines = [
    'GET /app/ HTTP/1.1',
    'Host: localhost',
    `Cookie: ${cookie}`,
    line,
    'Connection: close',
    '',
    '',
  ];
  return RawClient.exchange(Number(new URL(gateway.url).port), lines.join('\r\n'));
}

describe('a slice that is starting', () => {
  it('tells a script to come back', async () => {
    const { status, body, headers } = await starting.browser.get('/api/x', {
      headers: { accept: 'application/json' },
    });
    expect({ status, body }).toMatchObject({
      status: 503,
      body: { code: 'SLICE_STARTING', error: 'slice_starting', route: 'proxy', status: 503 },
    });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it.each([
    ['by its fetch metadata', 'Sec-Fetch-Mode: navigate'],
    ['by what it accepts', 'Accept: text/html,application/xhtml+xml'],
  ])('shows a browser, known %s, a page that comes back by itself', async (_how, line) => {
    const answer = await visit(line);
    expect(statusOf(answer)).toBe(503);
    expect(answer).toContain('\r\nContent-Type: text/html; charset=utf-8\r\n');
    expect(answer).toContain('\r\nCache-Control: no-store\r\n');
    expect(answer).toMatch(/\r\nRetry-After: [1-9]/);
    expect(answer).toMatch(/\r\nX-Request-Id: \S+/);
    expect(answer).toContain('\r\nX-Content-Type-Options: nosniff\r\n');
    expect(answer).toContain('<meta http-equiv="refresh" content="2">');
  });

  it('does not show the page to a script that a page runs, nor to a form', async () => {
    const script = await starting.browser.get('/api/x', {
      headers: { accept: 'text/html', 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' },
    });
    const form = await starting.browser.post('/api/x', {}, { accept: 'text/html' });
    expect([script.body.code, form.body.code]).toEqual(['SLICE_STARTING', 'SLICE_STARTING']);
  });

  it('is there as soon as it runs', async () => {
    const { browser, userId } = await customerWith(gateway, { port: null, status: 'provisioning' });
    expect((await browser.get('/api/x')).body.code).toBe('SLICE_STARTING');
    await assign(gateway, userId, app);
    await eventually(async () => expect((await browser.get('/api/x')).status).toBe(200), 1000);
  });
});

describe('a slice that can not be asked', () => {
  it.each([
    ['NO_SLICE', 409, null],
    ['SLICE_STOPPED', 503, { port: 1, status: 'stopped', desired: 'stopped' }],
    ['SLICE_STOPPED', 503, { port: 1, status: 'active', desired: 'stopped' }],
    ['SLICE_FAILED', 502, { port: 1, status: 'failed' }],
    ['SLICE_STARTING', 503, { port: 1, status: 'stopped' }],
    ['NO_SLICE', 409, { port: 1, status: 'destroying', desired: 'absent' }],
  ])('is %s, %i, when it is %j', async (code, status, slice) => {
    const { browser } = await customerWith(gateway, slice);
    const answer = await browser.get('/api/x', { headers: { accept: 'text/html;q=0.1' } });
    expect(answer.status).toBe(status);
    if (code !== 'SLICE_STARTING') expect(answer.body).toMatchObject({ code, status, route: 'proxy' });
  });

  it('is bad_gateway, 502, when nothing listens there', async () => {
    const { browser } = await customerWith(gateway, { port: 1 });
    expect(await browser.get('/api/x')).toMatchObject({
      status: 502,
      body: { error: 'bad_gateway', code: 'BAD_GATEWAY' },
    });
  });
});
