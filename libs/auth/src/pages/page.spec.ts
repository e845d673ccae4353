import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Html, html, page, PAGE_POLICY } from './page.js';

describe('a page', () => {
  it('has the one style that its policy allows, and no other element that it forbids', () => {
    const text = page('Hello', html`<p>Hi</p>`);
    const styles = [...text.matchAll(/<style>([^]*?)<\/style>/g)];
    expect(styles).toHaveLength(1);
    const digest = createHash('sha256')
      .update(styles[0]?.[1] ?? '')
      .digest('base64');
    expect(PAGE_POLICY).toContain(`style-src 'sha256-${digest}'`);
    expect(text).not.toMatch(/<script|<img|<link|style=|\son\w+=/);
  });

  it('escapes what is filled in, in its title as well', () => {
    const evil = `</title><script>alert("1")</script>&'`;
    const text = page(evil, html`<p title="${evil}">${evil}${new Html('<b>bold</b>')}</p>`);
    expect(text).not.toContain('<script');
    expect(text.match(/&#60;script&#62;alert\(&#34;1&#34;\)/g)).toHaveLength(4);
    expect(text).toContain('<b>bold</b>');
  });
});
