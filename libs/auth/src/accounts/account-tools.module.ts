import { Module } from '@nestjs/common';
import { PasswordHasher, PasswordHasherOptions } from '../passwords/password-hasher.js';
import { storage } from '../redis/storage.js';
import { SessionCookie } from '../sessions/session-cookie.js';
import { SessionRevocations } from '../sessions/session-revocations.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { UserImport } from '../user-import/user-import.js';
import { Administrators } from './administrators.js';
import { Users } from './users.js';

/** Accounts without a server around them, for programs that the operator runs. Needs what the AuthModule needs. */
@Module({
  providers: [
    ...storage,
    Users,
    PasswordHasher,
    { provide: PasswordHasherOptions, useValue: new PasswordHasherOptions() },
    SessionCookie,
    SessionRevocations,
    SessionsService,
    Administrators,
    UserImport,
  ],
})
export class AccountToolsModule {}
