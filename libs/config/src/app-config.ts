import type { FileSettings } from './settings/file-settings.js';
import type { SettingsReader } from './settings/settings-reader.js';

/**
 * The configuration in force: read once, checked as a whole, frozen. Injected by this class as its token.
 */
export abstract class AppConfig {
  abstract readonly mode: 'development' | 'production' | 'test';
  abstract readonly logLevel: string;
  abstract readonly http: HttpConfig;
  /** Absolute path. */
  abstract readonly dataDir: string;
  abstract readonly database: DatabaseConfig;
  abstract readonly secretKey: string;
  /** The secret key before this one: what is sealed under it is still read. */
  abstract readonly previousSecretKey: string | null;
  /** Signs gateway tokens. */
  abstract readonly jwtSecret: string;
  abstract readonly admin: AdminConfig;
  abstract readonly session: SessionConfig;
  /** `redis://…`; null: PostgreSQL and memory. */
  abstract readonly redisUrl: string | null;
  /** Accounts that one network may make in an hour; 0: as many as it likes. */
  abstract readonly signUpsPerHour: number;
  /** Null: sign-in by password alone. */
  abstract readonly oidc: OidcConfig | null;
  abstract readonly mail: MailConfig;
  abstract readonly monitor: MonitorConfig;
  abstract readonly slices: SlicesConfig;
  abstract readonly billing: BillingConfig;
  /** Of config.yml, as it was at the start; what is in force now is in `SettingsInForce`. */
  abstract readonly settings: FileSettings;
  /** Absolute path of config.yml, which need not exist. */
  abstract readonly settingsFile: string;
  /** Reads other texts of it, by the same environment. */
  abstract readonly settingsReader: SettingsReader;
}

export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  /** Without a trailing slash. With `port` 0 and no APP_URL it is null until the server listens. */
  readonly appUrl: string | null;
  readonly trustProxy: readonly string[];
  /** Besides the origin of `appUrl`; `*` stands for any, where no cookie counts. */
  readonly allowedOrigins: readonly string[];
  /** Absolute path of the folder whose files are served at `/`; null: none. */
  readonly staticDir: string | null;
  readonly shutdownTimeoutMs: number;
}

/** Where PostgreSQL is. */
export type DatabaseConfig = { readonly poolMax: number } & (
  | { readonly kind: 'embedded' }
  | {
      readonly kind: 'external';
      readonly host: string;
      readonly port: number;
      readonly name: string;
      readonly user: string;
      readonly password: string | undefined;
      /** From `sslmode` of DATABASE_URL: `require` encrypts, `verify-full` checks the certificate as well. */
      readonly tls: false | { readonly rejectUnauthorized: boolean };
    }
);

export interface AdminConfig {
  readonly key: string;
  readonly email: string;
  readonly password: string;
  /** Whether an admin's session needs two factors. */
  readonly requireTotp: boolean;
  /** How long the audit is kept. */
  readonly auditRetentionDays: number;
  /** Which of these Sluice made itself, and whether it did so just now: then the operator has to be told. */
  readonly generated: { readonly key: boolean; readonly password: boolean; readonly now: boolean };
}

export interface SessionConfig {
  readonly cookieName: string;
  readonly cookieDomain: string | undefined;
  readonly secure: boolean;
  readonly sameSite: 'Lax' | 'Strict' | 'None';
  /** Of a session opened by password. */
  readonly ttlMs: number;
  /** Of one opened by OIDC: the provider decides over its users, so it is asked again sooner. */
  readonly oidcTtlMs: number;
}

export interface OidcConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Of the callback, below APP_URL. */
  readonly redirectPath: string;
  /** Separated by spaces. */
  readonly scopes: string;
  /** Each one that is null is taken from the provider's discovery document. */
  readonly endpoints: {
    readonly authorization: string | null;
    readonly token: string | null;
    readonly userinfo: string | null;
    readonly revocation: string | null;
    readonly jwks: string | null;
  };
  /** Age of an ID token at the most, by its `iat`; null: any. */
  readonly idTokenMaxAgeSeconds: number | null;
  readonly refreshSkewMs: number;
}

export interface MailConfig {
  /** `smtp://…`; null: mail is written to the log, and in production to nowhere. */
  readonly smtpUrl: string | null;
  readonly from: string;
  /** Whether a customer waits for a slice until the address is verified. */
  readonly requireVerifiedAddress: boolean;
}

export interface MonitorConfig {
  /** Null: nothing is watched. */
  readonly intervalMs: number | null;
  /** The operator is told of what has been down for so long. */
  readonly notifyAfterMs: number;
  /** With its credentials. */
  readonly appriseUrl: string | null;
  readonly webhook: { readonly url: string; readonly secret: string | null } | null;
}

export interface BillingConfig {
  /** Null: billing is off, and nobody is ever blocked. */
  readonly stripe: StripeConfig | null;
  /** Off only because something of it is missing: the operator is to hear of that. */
  readonly incomplete: boolean;
  /** Whether a customer needs a subscription from the start. */
  readonly required: boolean;
  readonly graceMs: number;
  /** 0: none. */
  readonly trialDays: number;
  readonly promotionCodes: boolean;
  readonly automaticTax: boolean;
}

export interface StripeConfig {
  readonly secretKey: string;
  readonly webhookSecret: string;
  readonly priceId: string;
  /** Null: Stripe's own. */
  readonly apiBase: string | null;
}

export interface SlicesConfig {
  readonly runtime: 'docker' | 'process';
  readonly image: string | null;
  readonly command: readonly string[];
  readonly portRange: { readonly from: number; readonly to: number };
  readonly healthPath: string;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly poolSize: number;
  readonly autoProvision: boolean;
  /** Root of the slices' database passwords; null: derived from the secret key. */
  readonly databasePasswordRoot: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly network: string | null;
  /** IPv4 network, in CIDR notation, that the networks of the slices are cut from. */
  readonly subnetPool: string;
  readonly databaseHost: string | null;
  /** Connection limit of a slice's database role. */
  readonly databaseConnections: number;
  readonly paths: readonly string[];
  /** Requests that one slice gets at the same time. */
  readonly maxInFlight: number;
  readonly startTimeoutMs: number;
  /** How long the data of a slice is kept after its customer has left. */
  readonly retentionMs: number;
  readonly dockerHost: string | null;
}
