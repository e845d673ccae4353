import type { Mail } from '#common';

/*
 * The mails of accounts. Nothing in them was chosen by whoever caused them, not even a name: anybody can register
 * somebody else's address, and would have us carry their words to it.
 */

export function verificationMail(to: string, url: string): Mail {
  return {
    to,
    subject: 'Confirm your e-mail address',
    content: [
      'Somebody, hopefully you, signed up with this e-mail address. Please confirm it only if it was you.',
      { label: 'I signed up: confirm this address', url },
      'The link works once, for 24 hours. If you did not sign up, ignore this mail: by confirming you would vouch for an account of which somebody else has the password.',
    ],
  };
}

export function passwordResetMail(to: string, url: string): Mail {
  return {
    to,
    subject: 'Reset your password',
    content: [
      'Somebody, hopefully you, asked for a new password for your account.',
      { label: 'Choose a new password', url },
      'The link works once, for 30 minutes. If it was not you, you can ignore this mail: your password stays as it is.',
    ],
  };
}

export function passwordChangedMail(to: string): Mail {
  return {
    to,
    subject: 'Your password was changed',
    content: [
      'The password of your account was just changed, and you were signed out on other devices.',
      'If it was not you, reset your password at once by “forgot password” on the sign-in page, and tell us.',
    ],
  };
}
