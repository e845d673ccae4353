import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer as createTlsServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { WebSocketServer } from 'ws';
import { ASSIGNED_SLICES } from '../../support/assigned-slices.js';
import { valuesOf } from '../../support/echo.js';
import { Gateway } from '../../support/gateway.js';
import { EchoApps, send } from '../../support/routes.js';
import { selfSigned } from '../../support/self-signed.js';
import { echo, openSocket, refusedUpgrade } from '../../support/sockets.js';
import { StubUpstream } from '../../support/stub-upstream.js';

interface Secured {
  readonly server: Server;
  readonly port: number;
  readonly certificate: string;
}

/** An https server for `localhost`, whose certificate nobody has vouched for. */
async function secured(): Promise<Secured> {
  const { key, cert: certificate } = await selfSigned('localhost');
  const server = createTlsServer({ key, cert: certificate }, (req, res) =>
    res.end(
      JSON.stringify({ host: req.headers.host, url: req.url, proto: req.headers['x-forwarded-proto'] }),
    ),
  );
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, certificate };
}

let trusted: Secured;
let stranger: Secured;
let silent: StubUpstream;
let apps: EchoApps;
let gateway: Gateway;
const known = getCACertificates('default');

beforeAll(async () => {
  [trusted, stranger] = await Promise.all([secured(), secured()]);
  setDefaultCACertificates([...known, trusted.certificate]);
  silent = await StubUpstream.start(() => undefined);
  apps = await EchoApps.start('plain');
  gateway = await Gateway.start({
    ...ASSIGNED_SLICES,
    configFile: `
services:
  secure: { url: "https://localhost:${trusted.port}/base", path: /secure }
  named: { url: "https://localhost:${trusted.port}", path: /named, preserveHost: true }
  stranger: { url: "https://localhost:${stranger.port}", path: /stranger }
  keeps: { url: "${apps.url('plain')}", path: /keeps, preserveHost: true, health: "/ready?deep=1" }
  silent: { url: "http://127.0.0.1:${silent.port}", path: /silent, timeoutSeconds: 1 }
`,
  });
}, 60_000);

afterAll(async () => {
  setDefaultCACertificates(known);
  await gateway[Symbol.asyncDispose]();
  await Promise.all([apps[Symbol.asyncDispose](), silent[Symbol.asyncDispose]()]);
  for (const { server } of [trusted, stranger]) {
    server.closeAllConnections();
    server.close();
  }
});

describe('an upstream behind https', () => {
  it('gets requests over TLS, and its own name as Host', async () => {
    const { status, body } = await send(gateway.url, '/secure/x?y=1');
    expect({ status, seen: JSON.parse(body) }).toEqual({
      status: 200,
      seen: { host: `localhost:${trusted.port}`, url: '/base/x?y=1', proto: 'http' },
    });
  });

  it('gets its own name even where others get the client’s, since TLS checks it', async () => {
    const { status, body } = await send(gateway.url, '/named/x', { headers: { host: 'evil.example' } });
    expect({ status, host: JSON.parse(body).host }).toEqual({
      status: 200,
      host: `localhost:${trusted.port}`,
    });
  });

  it('gets WebSockets over TLS', async () => {
    const socket = await openSocket(`${gateway.url}/secure/live`);
    expect(await echo(socket, 'hello')).toBe('hello');
    socket.terminate();
  });

  it('is 502 where nobody vouches for its certificate', async () => {
    expect(await send(gateway.url, '/stranger/x')).toMatchObject({
      status: 502,
      json: { error: 'bad_gateway' },
    });
    expect(await refusedUpgrade(`${gateway.url}/stranger/x`)).toMatchObject({ status: 502 });
  });
});

describe('a route', () => {
  it('passes the Host of the client on where it is told to', async () => {
    const { seen } = await send(gateway.url, '/keeps/x', { headers: { host: 'app.example.com:8080' } });
    expect(valuesOf(seen.rawHeaders, 'host')).toEqual(['app.example.com:8080']);
    expect(valuesOf(seen.rawHeaders, 'x-forwarded-host')).toEqual(['app.example.com:8080']);
  });

  it('has a health that is asked as config.yml says, at the same Host', async () => {
    const { seen } = await send(gateway.url, '/health/keeps?y=2', { headers: { host: 'app.example.com' } });
    expect(seen.url).toBe('/ready?deep=1');
    expect(valuesOf(seen.rawHeaders, 'host')).toEqual(['app.example.com']);
  });

  it('has a health that waits as long as the route', async () => {
    expect(await send(gateway.url, '/health/silent')).toMatchObject({ status: 504 });
  }, 10_000);

  it('waits as long as it is told to, and then says 504', async () => {
    expect(await send(gateway.url, '/silent/x')).toMatchObject({
      status: 504,
      json: { code: 'GATEWAY_TIMEOUT' },
    });
  });
});
