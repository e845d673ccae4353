import type { Provider } from '@nestjs/common';
import { IdentityAccounts } from './identity-accounts.js';
import { LoginCookie } from './login-cookie.js';
import { OidcCallbackService } from './oidc-callback.service.js';
import { OidcLoginService } from './oidc-login.service.js';
import { OidcProvider } from './oidc-provider.js';
import { ProviderConfiguration } from './provider-configuration.js';
import { ProviderSessions } from './provider-sessions.js';
import { ProviderSignOut } from './provider-sign-out.js';
import { WhoAmIService } from './who-am-i.service.js';

/** Sign-in by OpenID Connect, for the module of this library. */
export const oidcProviders: Provider[] = [
  ProviderConfiguration,
  OidcProvider,
  LoginCookie,
  OidcLoginService,
  IdentityAccounts,
  OidcCallbackService,
  ProviderSessions,
  ProviderSignOut,
  WhoAmIService,
];
