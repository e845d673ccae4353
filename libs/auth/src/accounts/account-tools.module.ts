import { Module } from '@nestjs/common';
import { SecretBox } from '#common';
import { SecretRotation } from '#database';
import { PasswordHasher, PasswordHasherOptions } from '../passwords/password-hasher.js';
import { RedisConnection } from '../redis/redis-connection.js';
import { storage } from '../redis/storage.js';
import { SessionCookie } from '../sessions/session-cookie.js';
import { SessionRevocations } from '../sessions/session-revocations.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { UserImport } from '../user-import/user-import.js';
import { Administrators } from './administrators.js';
import { SecretsRotation } from './secrets-rotation.js';
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
    {
      provide: SecretsRotation,
      inject: [SecretRotation, RedisConnection, SecretBox],
      useFactory: (database: SecretRotation, redis: RedisConnection | null, box: SecretBox) =>
        new SecretsRotation(database, redis, box),
    },
  ],
})
export class AccountToolsModule {}
