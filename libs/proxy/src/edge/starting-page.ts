import type { IncomingMessage, ServerResponse } from 'node:http';
import { requestIdOf, statusOf, type DomainError } from '#common';
import { addRenewedCookie } from '../headers/renewed-cookie.js';
import { closeIfBodyIsPending } from '../http/answer.js';
import { SECURITY_HEADERS_FLAT } from '../http/security-headers.js';

/** Reloads by itself, without a script: the Content-Security-Policy allows none inline. */
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="2">
<title>Starting…</title>
<style>
body { font: 17px/1.5 system-ui, sans-serif; display: grid; place-content: center; min-height: 90vh; margin: 0; text-align: center; color: #223; background: #f7f8fa }
h1 { font-size: 1.4rem; margin: 0 0 .3rem }
p { margin: 0; color: #556 }
</style>
</head>
<body>
<main>
<h1>Your workspace is starting</h1>
<p>This takes a few seconds. The page reloads by itself.</p>
</main>
</body>
</html>
`;

/** Whether a person waits in front of a browser for this answer, rather than a script. */
export function isNavigation(req: IncomingMessage): boolean {
  if (req.method !== 'GET') return false;
  const mode = req.headers['sec-fetch-mode'];
  if (mode !== undefined) return mode === 'navigate';
  return (req.headers.accept ?? '').includes('text/html');
}

/** Says to a person what the error says to a program, with the same status. */
export function answerStartingPage(req: IncomingMessage, res: ServerResponse, error: DomainError): void {
  const page = Buffer.from(PAGE);
  const headers = [
    ...SECURITY_HEADERS_FLAT,
    'X-Request-Id',
    requestIdOf(req),
    'Content-Type',
    'text/html; charset=utf-8',
    'Content-Length',
    String(page.length),
    'Cache-Control',
    'no-store',
    'Retry-After',
    String(error.retryAfterSeconds ?? 1),
  ];
  addRenewedCookie(headers, req);
  closeIfBodyIsPending(req, res);
  res.writeHead(statusOf(error.code), headers).end(page);
}
