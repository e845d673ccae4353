import { CookieJar } from 'tough-cookie';

/** A page, or a redirect that was not followed. */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const MAX_STEPS = 20;

/** A browser as far as sign-in needs one: it keeps cookies by the rules, follows redirects and submits forms. */
export class OidcBrowser {
  readonly jar = new CookieJar();

  /** One request; a redirect is for the caller to look at. */
  async open(
    url: string,
    init: { form?: Record<string, string>; headers?: Record<string, string> } = {},
  ): Promise<Page> {
    const headers = new Headers(init.headers);
    const cookie = await this.jar.getCookieString(url);
    if (cookie !== '') headers.set('cookie', cookie);
    const response = await fetch(url, {
      method: init.form === undefined ? 'GET' : 'POST',
      headers,
      redirect: 'manual',
      ...(init.form === undefined ? {} : { body: new URLSearchParams(init.form) }),
    });
    for (const set of response.headers.getSetCookie()) await this.jar.setCookie(set, url);
    return { url, status: response.status, headers: response.headers, text: await response.text() };
  }

  /**
   * Goes where a page of the gateway sends it, signs in at the provider and consents.
   * @returns the callback URL that the provider sends back to, which is not opened yet
   */
  async signInAt(login: Page, callback: string, account: string): Promise<string> {
    let url = locationOf(login);
    for (let step = 0; step < MAX_STEPS; step++) {
      if (url.startsWith(`${callback}?`)) return url;
      const page = await this.open(url);
      url = isRedirect(page) ? locationOf(page) : await this.submit(page, account);
    }
    throw new Error(`the provider does not come to an end; it last sent to ${url}`);
  }

  private async submit(page: Page, account: string): Promise<string> {
    const action = /<form[^>]* action="([^"]+)"/.exec(page.text)?.[1];
    const prompt = /name="prompt" value="(\w+)"/.exec(page.text)?.[1];
    if (action === undefined || prompt === undefined) {
      throw new Error(`no form to submit on ${page.url}: ${page.status} ${page.text}`);
    }
    const form = { prompt, ...(prompt === 'login' ? { login: account, password: 'any will do' } : {}) };
    return locationOf(await this.open(new URL(action, page.url).href, { form }));
  }
}

export function isRedirect({ status }: Page): boolean {
  return status >= 300 && status < 400;
}

/** Where a redirect leads. */
export function locationOf({ url, status, headers, text }: Page): string {
  const location = headers.get('location');
  if (location === null) throw new Error(`${url} answers ${status} without a Location: ${text}`);
  return new URL(location, url).href;
}
