import { generateSync } from 'otplib';
import type { Answer, AuthApp } from './auth-app.js';

/** The length of a time step. */
export const STEP_MS = 30_000;

/** An authenticator app on somebody's telephone. */
export class Authenticator {
  constructor(
    readonly secret: string,
    private readonly app: AuthApp,
  ) {}

  /** What it shows so many steps from now. */
  code(steps = 0): string {
    const epoch = Math.floor((this.app.clock.nowMs() + steps * STEP_MS) / 1000);
    return generateSync({ secret: this.secret, epoch });
  }

  /** What it shows at no time near to now. */
  wrongCode(): string {
    const near = new Set([-2, -1, 0, 1, 2].map((steps) => this.code(steps)));
    const wrong = ['000000', '111111', '222222', '333333', '444444', '555555'].find(
      (code) => !near.has(code),
    );
    if (wrong === undefined) throw new Error('unreachable: six codes, of which five can be right');
    return wrong;
  }
}

export interface Enrolled {
  readonly email: string;
  readonly cookie: string;
  readonly authenticator: Authenticator;
  readonly recoveryCodes: readonly string[];
}

/** Begins to set up two factors. */
export async function enroll(app: AuthApp, cookie: string): Promise<Authenticator> {
  const answer = await app.send('POST', '/auth/totp/enroll', { headers: { cookie } });
  if (answer.status !== 200) throw new Error(`not enrolled: ${JSON.stringify(answer.body)}`);
  return new Authenticator(answer.body['secret'] ?? '', app);
}

export function confirm(app: AuthApp, cookie: string, code: string): Promise<Answer> {
  return app.send('POST', '/auth/totp/confirm', { body: { code }, headers: { cookie } });
}

/** Sets two factors up for whoever is signed in, and goes on a step: the code that confirmed is used up. */
export async function secure(app: AuthApp, email: string, cookie: string): Promise<Enrolled> {
  const authenticator = await enroll(app, cookie);
  const { body } = await confirm(app, cookie, authenticator.code());
  app.clock.advance(STEP_MS);
  return { email, cookie, authenticator, recoveryCodes: body['recoveryCodes'] ?? [] };
}

/** A customer with two factors. */
export async function securedCustomer(app: AuthApp): Promise<Enrolled> {
  const { email, cookie } = await app.register();
  return secure(app, email, cookie);
}

/** Signs in with a second factor. */
export function loginWith(app: AuthApp, email: string, password: string, totp?: string): Promise<Answer> {
  return app.send('POST', '/auth/login', { body: { email, password, totp } });
}
