import { html, page } from './page.js';

/*
 * The pages that mailed links open. Opening one does nothing yet: mail scanners and previews follow every link, and
 * would use it up. They work without a script.
 */

export function verifyPage(token: string): string {
  return page(
    'Confirm your e-mail address',
    html`<p>
        Go on only if you signed up yourself. If you did not, close this page: somebody else has the password
        of the account that you would confirm.
      </p>
      <form method="post" action="/auth/verify/page">
        <input type="hidden" name="token" value="${token}" />
        <button>I signed up: confirm my address</button>
      </form>`,
  );
}

export function verifiedPage(): string {
  return page('Thank you', html`<p>Your e-mail address is confirmed. You can close this page.</p>`);
}

export function passwordPage(token: string): string {
  return page(
    'Choose a new password',
    html`<p>You will be signed out on all devices.</p>
      <form method="post" action="/auth/password/reset/page">
        <input type="hidden" name="token" value="${token}" />
        <label
          >New password, 8 characters or more
          <input
            type="password"
            name="password"
            autocomplete="new-password"
            minlength="8"
            maxlength="256"
            required
            autofocus
        /></label>
        <button>Change the password</button>
      </form>`,
  );
}

export function passwordChangedPage(): string {
  return page('Your password is changed', html`<p>You can sign in with it now.</p>`);
}
