import { Module } from '@nestjs/common';
import { UserAdministration } from './users/user-administration.js';
import { UserDirectory } from './users/user-directory.js';
import { UsersController } from './users/users.controller.js';

/** What the operator sees and changes. Needs what the libraries below provide to everybody. */
@Module({
  controllers: [UsersController],
  providers: [UserDirectory, UserAdministration],
})
export class AdminModule {}
