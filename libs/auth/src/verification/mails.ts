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
      'Welcome! Please confirm that this is your e-mail address.',
      { label: 'Confirm this address', url },
      'The link works once, for 24 hours. If you did not sign up, you can ignore this mail.',
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
