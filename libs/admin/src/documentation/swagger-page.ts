import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { StreamableFile } from '@nestjs/common';

const FOLDER = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

/** What the page needs of the package; the rest of it is for those who build their own. */
const FILES = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
} as const;

/** What the page is made of. */
export const DOCS_ASSETS = [
  'start.js',
  'swagger-ui.css',
  'swagger-ui-bundle.js',
  'favicon-32x32.png',
] as const;
export type DocsAsset = (typeof DOCS_ASSETS)[number];

/** Nothing from anywhere else, and no script in the page itself. Swagger UI sets styles on its elements. */
export const DOCS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const DOCS_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>The API of Sluice</title>
    <link rel="icon" type="image/png" href="/admin/docs/favicon-32x32.png" />
    <link rel="stylesheet" href="/admin/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/admin/docs/swagger-ui-bundle.js"></script>
    <script src="/admin/docs/start.js"></script>
  </body>
</html>
`;

/** A key that was typed in is forgotten with the page; requests carry the session's cookie besides. */
const START = `SwaggerUIBundle({
  url: '/admin/openapi.json',
  dom_id: '#swagger-ui',
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  filter: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null,
});
`;

export function docsAsset(name: DocsAsset): StreamableFile {
  if (name === 'start.js')
    return new StreamableFile(Buffer.from(START), { type: 'text/javascript; charset=utf-8' });
  return new StreamableFile(createReadStream(join(FOLDER, name)), { type: FILES[name] });
}
