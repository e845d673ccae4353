import type { Mail } from '#common';
import type { Recipient } from '../accounts/billing-accounts.js';

/** What the mails are about. */
export interface MailFacts {
  readonly to: Recipient;
  /** Where customers see to their subscription: our own address. */
  readonly account: string;
}

/** @param stopsAt null: there is no grace, or it is over */
export function paymentFailed(
  { to, account }: MailFacts,
  payAt: string | null,
  stopsAt: number | null,
): Mail {
  return {
    to: to.email,
    subject: 'Your payment did not go through',
    content: [
      'We could not collect the payment for your subscription. It is tried again in the next days; maybe your card has expired.',
      stopsAt === null
        ? 'Your app is stopped until the payment has come; your data stays.'
        : `Your app goes on running until ${day(stopsAt)}. After that it is stopped until the payment has come; your data stays.`,
      payAt === null ? { label: 'Look after your payment', url: account } : { label: 'Pay now', url: payAt },
    ],
  };
}

export function paymentNeedsYou({ to, account }: MailFacts, payAt: string | null): Mail {
  return {
    to: to.email,
    subject: 'Your payment waits for your confirmation',
    content: [
      'Your bank asks you to confirm the payment for your subscription. Without that it can not be collected.',
      payAt === null ? { label: 'Confirm the payment', url: account } : { label: 'Confirm it', url: payAt },
    ],
  };
}

export function stopsSoon({ to, account }: MailFacts, payAt: string | null, stopsAt: number): Mail {
  return {
    to: to.email,
    subject: `Your app will be stopped on ${day(stopsAt)}`,
    content: [
      `The payment for your subscription is still missing. If it has not come by ${day(stopsAt)}, your app is stopped. Your data stays, and paying starts the app again.`,
      payAt === null ? { label: 'Look after your payment', url: account } : { label: 'Pay now', url: payAt },
    ],
  };
}

/** @param retentionMs null: there is no data of theirs here */
export function endsOn({ to, account }: MailFacts, at: Date, retentionMs: number | null): Mail {
  return {
    to: to.email,
    subject: `Your subscription ends on ${day(at.getTime())}`,
    content: [
      `Your subscription was cancelled. Your app runs until ${day(at.getTime())}, and is stopped then.`,
      ...(retentionMs === null
        ? []
        : [`Your data is kept until ${day(at.getTime() + retentionMs)}, and is removed after that.`]),
      'Until the end you can take the cancellation back.',
      { label: 'Look after your subscription', url: account },
    ],
  };
}

export function stopped({ to, account }: MailFacts, removedAt: number | null): Mail {
  return {
    to: to.email,
    subject: 'Your app was stopped',
    content: [
      'Your subscription does not cover your app any more, so it was stopped.',
      removedAt === null
        ? 'Your data stays. Paying starts the app again.'
        : `Your data is kept until ${day(removedAt)}, and is removed after that. A new subscription starts the app again, with your data until then.`,
      { label: 'Start it again', url: account },
    ],
  };
}

export function startedAgain({ to, account }: MailFacts): Mail {
  return {
    to: to.email,
    subject: 'Your app is running again',
    content: ['Thank you. Your app was started again.', { label: 'Open your app', url: account }],
  };
}

export function removedSoon({ to, account }: MailFacts, removedAt: number): Mail {
  return {
    to: to.email,
    subject: `Your data will be removed on ${day(removedAt)}`,
    content: [
      `Your subscription has ended. On ${day(removedAt)} your app is removed with all of its data, and nobody can bring it back then.`,
      'If you want to keep it, subscribe again before that day.',
      { label: 'Subscribe again', url: account },
    ],
  };
}

export function removed({ to, account }: MailFacts): Mail {
  return {
    to: to.email,
    subject: 'Your data was removed',
    content: [
      'Your subscription ended some time ago, so your app was removed with all of its data, as announced.',
      { label: 'Begin anew', url: account },
    ],
  };
}

/** For the operator. */
export function disputeOpened(to: string, disputeId: string, customer: string): Mail {
  return {
    to,
    subject: `A payment was disputed: ${disputeId}`,
    content: [
      `${customer} disputes a payment at their bank. Stripe holds the amount back until it is decided.`,
      'Answer in the Stripe dashboard; there is a time limit. The slice goes on as the subscription says.',
    ],
  };
}

/** For the operator. */
export function paidTwice(to: string, customer: string, subscriptions: readonly string[]): Mail {
  return {
    to,
    subject: `A customer pays twice: ${customer}`,
    content: [
      `${customer} has two subscriptions that go on: ${subscriptions.join(' and ')}. Nothing was ended by itself.`,
      'Ask which one to keep, end the other in the Stripe dashboard, and give back what was paid for it. The app runs as long as one of them does.',
    ],
  };
}

/** For the operator. */
export function thereTwice(to: string, customer: string, counts: string, beside: string): Mail {
  return {
    to,
    subject: `A customer is at Stripe twice: ${customer}`,
    content: [
      `${customer} is known at Stripe as ${counts} and as ${beside}. The first one counts; what is paid by the other opens nothing.`,
      'Look at both in the Stripe dashboard, end what the second one has, give back what was paid for it, and delete it.',
    ],
  };
}

/** A day, the same in all the world: `12 March 2027 (UTC)`. */
function day(ms: number): string {
  return `${DAY.format(ms)} (UTC)`;
}

const DAY = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
