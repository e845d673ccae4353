import { describe, expect, it } from '@jest/globals';
import { compose, requireSingleLines } from './compose.js';

const mail = {
  to: 'ada@example.com',
  subject: 'Hello',
  content: ['Hi.', { label: 'Go on', url: 'https://x.example/?a=1&b=2' }],
};

describe('a mail', () => {
  it('is written as text with its links in full', () => {
    expect(compose(mail).text).toBe('Hi.\n\nGo on:\nhttps://x.example/?a=1&b=2\n');
  });

  it('is written as HTML that nothing in it can break out of', () => {
    const evil = `"'><img src=x onerror=alert(1)>&`;
    const { html } = compose({ ...mail, content: [evil, { label: evil, url: `https://x.example/${evil}` }] });
    expect(html).not.toContain('<img');
    expect(html.match(/&#34;&#39;&#62;&#60;img src=x onerror=alert\(1\)&#62;&#38;/g)).toHaveLength(4);
  });

  it.each(['\r\nBcc: a@b', '\n', '\r', '\0', '\u0085', '\t'])('has no %j in its headers', (smuggled) => {
    expect(() => requireSingleLines({ ...mail, subject: `a${smuggled}` })).toThrow(TypeError);
    expect(() => requireSingleLines({ ...mail, to: `a@b${smuggled}` })).toThrow(TypeError);
    expect(() => requireSingleLines(mail)).not.toThrow();
  });
});
