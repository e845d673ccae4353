import { createHash } from 'node:crypto';

const STYLE = `
body { font: 17px/1.5 system-ui, sans-serif; display: grid; place-content: center; min-height: 90vh; margin: 0; padding: 0 1rem; color: #223; background: #f7f8fa }
main { width: 22rem; max-width: 100% }
h1 { font-size: 1.4rem; margin: 0 0 .3rem }
p { margin: 0 0 1rem; color: #556 }
label { display: block; margin: 0 0 1rem }
input { box-sizing: border-box; width: 100%; margin-top: .2rem; padding: .5rem; font: inherit; border: 1px solid #99a; border-radius: 6px }
button { padding: .5rem 1.1rem; font: inherit; font-weight: 600; color: #fff; background: #2457c5; border: 0; border-radius: 6px; cursor: pointer }
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Stricter than the gateway's own: no script at all, nothing from anywhere, no frame around it. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${STYLE_HASH}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const PAGE_TYPE = 'text/html; charset=utf-8';

/** HTML that may stand in a page as it is; made by {@link html} alone. */
export class Html {
  constructor(readonly source: string) {}
}

/** In one piece: a blank more, and it were not the style that the policy allows. */
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);

/** Fills a template in; what is not {@link Html} itself is escaped. */
export function html(parts: TemplateStringsArray, ...values: ReadonlyArray<string | Html>): Html {
  return new Html(
    parts.reduce((text, part, i) => {
      const value = values[i - 1] ?? '';
      return text + (value instanceof Html ? value.source : escapeHtml(value)) + part;
    }),
  );
}

/** A whole page with one heading. */
export function page(title: string, body: Html): string {
  const { source } = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html> `;
  return source;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
