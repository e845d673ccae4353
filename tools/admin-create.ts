import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Administrators } from '#auth';
import { errorCode } from '#common';
import { readPassword } from './lib/read-password.ts';
import { UsageError, withAccounts } from './lib/with-accounts.ts';

/*
 * Makes an admin: `npm run admin:create -- <e-mail address>`. The password is asked for, or read from standard input.
 *   --generate  makes one, and prints it this once
 *   --promote   gives the role to an account that is there, once its address is verified; its password stays
 *   --unverified  with --promote: although nobody has shown that the address is theirs
 */
await withAccounts(parameters, async (accounts, { email, generate, promote, unverified }) => {
  const administrators = accounts.get(Administrators);
  if (promote) {
    const changed = await administrators.promote(email, { unverified }).catch((error: unknown) => {
      if (errorCode(error) !== 'EMAIL_UNVERIFIED') throw error;
      throw new UsageError(
        `Nobody has shown that ${email} is theirs: anybody may have registered it. Have it verified first, or, if you know whose account it is, add --unverified.`,
      );
    });
    console.log(
      changed ? `${email} is an admin now, and was signed out everywhere.` : `${email} is an admin already.`,
    );
    return;
  }
  const password = generate ? randomBytes(18).toString('base64url') : await readPassword();
  await administrators.create(email, password).catch((error: unknown) => {
    if (errorCode(error) !== 'EMAIL_TAKEN') throw error;
    throw new UsageError(`${email} has an account already. To make an admin of it, add --promote.`);
  });
  console.log(`${email} is an admin now.`);
  if (generate) console.log(`password: ${password}`);
});

function parameters(): { email: string; generate: boolean; promote: boolean; unverified: boolean } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      generate: { type: 'boolean', default: false },
      promote: { type: 'boolean', default: false },
      unverified: { type: 'boolean', default: false },
    },
  });
  const [email] = positionals;
  const contradict = (values.generate && values.promote) || (values.unverified && !values.promote);
  if (email === undefined || positionals.length > 1 || contradict)
    throw new UsageError(
      'usage: npm run admin:create -- <e-mail address> [--generate | --promote [--unverified]]',
    );
  return { email, ...values };
}
