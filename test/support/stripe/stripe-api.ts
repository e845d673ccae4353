import { Stripe } from 'stripe';
import { type Gate, STRIPE_KEY, StripeServer, type Weather } from './server.js';
import { API_VERSION, PRICE, type StandInEvent, StripeWorld } from './world.js';

export type { StandInCustomer, StandInSession, StandInSubscription } from './objects.js';
export type { Weather } from './server.js';
export { PRICE, type StandInEvent } from './world.js';

const WEBHOOK_SECRET = 'whsec_of_the_stand_in';

/**
 * Stripe's HTTP API as far as Sluice uses it, in memory: it keeps what it is told, refuses parameters that it does not
 * know, and knows idempotency keys. Tests move its world by methods, and deliver its events when and as often as they
 * like.
 */
export class StripeApi extends StripeWorld implements AsyncDisposable {
  private readonly server = new StripeServer(this);
  private readonly signer = new Stripe(STRIPE_KEY, { apiVersion: API_VERSION });

  /** @param nowMs the clock that it shares with the gateway */
  static async start(nowMs: () => number = Date.now): Promise<StripeApi> {
    const api = new StripeApi(nowMs);
    await api.server.listen();
    return api;
  }

  get url(): string {
    return this.server.url;
  }

  get requests(): string[] {
    return this.server.requests;
  }

  get breaks(): StripeServer['breaks'] {
    return this.server.breaks;
  }

  get answersLost(): StripeServer['answersLost'] {
    return this.server.answersLost;
  }

  get forbidden(): StripeServer['forbidden'] {
    return this.server.forbidden;
  }

  set weather(weather: Weather) {
    this.server.weather = weather;
  }

  set gate(gate: Gate) {
    this.server.gate = gate;
  }

  /** What a gateway needs to use it. */
  get env(): NodeJS.ProcessEnv {
    return {
      STRIPE_SECRET_KEY: STRIPE_KEY,
      STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      STRIPE_PRICE_ID: PRICE,
      STRIPE_API_BASE: this.url,
    };
  }

  /** The `Stripe-Signature` of a body, by the SDK's own test helper. */
  sign(payload: string, { secret = WEBHOOK_SECRET, atMs = this.nowMs() } = {}): string {
    const timestamp = Math.floor(atMs / 1000);
    return this.signer.webhooks.generateTestHeaderString({ payload, secret, timestamp });
  }

  /** Delivers an event to a gateway. @returns the status of its answer */
  async deliver(gatewayUrl: string, { payload }: StandInEvent): Promise<number> {
    const response = await fetch(`${gatewayUrl}/billing/webhook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': this.sign(payload) },
      body: payload,
    });
    await response.text();
    return response.status;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}
