import type { Mail, MailLink } from '#common';

/** A mail in the two forms in which it is sent. */
export interface Composed {
  readonly text: string;
  readonly html: string;
}

const CONTROL_CHARACTER = /\p{Cc}/u;

/**
 * Refuses what could become a header of its own (CWE-93). Nodemailer folds and encodes such values by itself; a mail
 * that asks for it is a mistake all the same.
 * @throws TypeError
 */
export function requireSingleLines({ to, subject }: Mail): void {
  for (const [name, value] of Object.entries({ to, subject })) {
    if (CONTROL_CHARACTER.test(value))
      throw new TypeError(`The ${name} of a mail must be one line, without control characters.`);
  }
}

/** Lays a mail out: as plain text, and as HTML that needs nothing from elsewhere. */
export function compose({ content }: Mail): Composed {
  return {
    text: `${content.map(textOf).join('\n\n')}\n`,
    html: PAGE_HEAD + content.map(htmlOf).join('\n') + PAGE_END,
  };
}

function textOf(block: string | MailLink): string {
  return typeof block === 'string' ? block : `${block.label}:\n${block.url}`;
}

function htmlOf(block: string | MailLink): string {
  if (typeof block === 'string') return `<p style="${TEXT}">${escapeHtml(block)}</p>`;
  const url = escapeHtml(block.url);
  return (
    `<p style="margin:0 0 12px"><a href="${url}" style="${BUTTON}">${escapeHtml(block.label)}</a></p>\n` +
    // Whoever looks where a link leads before following it finds it written out.
    `<p style="${SMALL}">${url}</p>`
  );
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/* Styles stand with each element: many mail programs drop a style sheet. */
const TEXT = 'margin:0 0 16px;font:16px/1.5 system-ui,sans-serif;color:#223';
const SMALL = 'margin:0 0 16px;font:13px/1.5 system-ui,sans-serif;color:#667;word-break:break-all';
const BUTTON =
  'display:inline-block;padding:10px 18px;font:600 16px system-ui,sans-serif;color:#fff;background:#2457c5;border-radius:6px;text-decoration:none';

const PAGE_HEAD = `<!doctype html>
<html lang="en">
<body style="margin:0;padding:24px;background:#f7f8fa">
<div style="max-width:560px;margin:0 auto;padding:24px;background:#fff;border-radius:8px">
`;
const PAGE_END = `
</div>
</body>
</html>
`;
