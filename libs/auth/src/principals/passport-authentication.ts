import { Injectable } from '@nestjs/common';
import type { Request, RequestHandler, Response } from 'express';
import passport from 'passport';
import type { Principal } from './principal.js';
import {
  ADMIN_KEY_STRATEGY,
  AdminKeyStrategy,
  API_KEY_STRATEGY,
  ApiKeyStrategy,
  SESSION_STRATEGY,
  SessionStrategy,
  TOKEN_STRATEGY,
  TokenStrategy,
} from './strategies.js';

export type StrategyName =
  typeof SESSION_STRATEGY | typeof ADMIN_KEY_STRATEGY | typeof TOKEN_STRATEGY | typeof API_KEY_STRATEGY;

/** Runs passport strategies for a guard, in a passport of this application's own. */
@Injectable()
export class PassportAuthentication {
  private readonly passport = new passport.Passport();

  constructor(
    session: SessionStrategy,
    adminKey: AdminKeyStrategy,
    token: TokenStrategy,
    apiKey: ApiKeyStrategy,
  ) {
    this.passport.use(SESSION_STRATEGY, session);
    this.passport.use(ADMIN_KEY_STRATEGY, adminKey);
    this.passport.use(TOKEN_STRATEGY, token);
    this.passport.use(API_KEY_STRATEGY, apiKey);
  }

  /** The principal of the first strategy that finds one; null when none does. What a strategy throws is thrown. */
  authenticate(
    strategies: readonly StrategyName[],
    request: Request,
    response: Response,
  ): Promise<Principal | null> {
    return new Promise((resolve, reject) => {
      const decided = (error: unknown, principal?: Principal | false | null): void => {
        // passport gives null where there is no error; whatever else it is, it must not pass for "nobody".
        if (error === null || error === undefined) resolve(principal || null);
        else reject(error);
      };
      const middleware: RequestHandler = this.passport.authenticate(
        [...strategies],
        { session: false },
        decided,
      );
      void middleware(request, response, reject);
    });
  }
}
