import { ALIASES, environmentSchema } from '../environment.js';

/**
 * What opens something of Sluice's own. Whoever may change config.yml could otherwise have it sent to a server of
 * theirs: a stolen session of an admin would be worth every secret there is.
 */
const SECRETS =
  /^(?:SECRET_KEY.*|GATEWAY_JWT_SECRET|ADMIN_KEY|ADMIN_PASSWORD|DATABASE_URL|DB_PASSWORD|PGPASSWORD|REDIS_URL|OIDC_CLIENT_SECRET|SLICE_DB_PASSWORD|SLICE_ENV|SMTP_URL|STRIPE_.*|APPRISE_URL|NOTIFY_WEBHOOK_(?:URL|SECRET))$/;

const OWN: ReadonlySet<string> = new Set([...Object.keys(environmentSchema.shape), ...Object.keys(ALIASES)]);

/** Where a target comes from that the environment names. */
export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

/** The environment, as config.yml may use it. One that is set to nothing but blanks counts as not set. */
export class Variables {
  /** Private to the language too, so that no log shows it. */
  readonly #values: ReadonlyMap<string, string | undefined>;

  constructor(environment: NodeJS.ProcessEnv) {
    this.#values = new Map(Object.entries(environment));
  }

  get(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === undefined || value.trim() === '' ? undefined : value;
  }

  /** Whether it carries a secret of Sluice's, which has no place in a configuration that is shown and changed. */
  isSecret(name: string): boolean {
    return SECRETS.test(name);
  }

  /**
   * The URL that the environment gives a route or a service: of `{ID}_SERVICE_URL`, or `{ID}_URL` unless that is a
   * variable of Sluice's own, such as APP_URL. The longer name goes first: nobody else sets it.
   */
  urlOf(id: string): NamedValue | undefined {
    const stem = id.toUpperCase().replaceAll('-', '_');
    for (const name of [`${stem}_SERVICE_URL`, `${stem}_URL`]) {
      const value = OWN.has(name) || this.isSecret(name) ? undefined : this.get(name);
      if (value !== undefined) return { name, value };
    }
    return undefined;
  }
}
