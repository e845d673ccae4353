import { parseArgs } from 'node:util';
import { SecretsRotation } from '#auth';
import { withAccounts } from './lib/with-accounts.ts';

/*
 * Seals everything that is stored under SECRET_KEY_PREVIOUS anew under SECRET_KEY: `npm run secrets:rotate`, while
 * gateways with both of them run. It can be stopped and run again at any time. Exit status 1 while something is left, 78 when
 * neither key is the installation's.
 */
await withAccounts(
  () => parseArgs({ options: {} }).values,
  async (installation) => {
    const { parts, complete } = await installation.get(SecretsRotation).run();
    for (const { name, resealed, unreadable } of parts) {
      const left = unreadable === 0 ? '' : `, ${unreadable} that neither key opens`;
      console.log(`${name}: ${resealed} sealed anew${left}`);
    }
    if (complete) {
      console.log(
        'Everything is sealed with SECRET_KEY. SECRET_KEY_PREVIOUS may be removed from all gateways.',
      );
      return;
    }
    console.error(
      'Not everything is sealed with SECRET_KEY yet: keep SECRET_KEY_PREVIOUS. Make sure that it is the key of before ' +
        'and that every gateway has both, then run this again.',
    );
    process.exitCode = 1;
  },
);
