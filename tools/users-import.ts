import { parseArgs } from 'node:util';
import { type ImportReport, recordsOfFile, UserFileFault, UserImport } from '#auth';
import { errorCode } from '#common';
import { UsageError, withAccounts } from './lib/with-accounts.ts';

/*
 * Imports users with the hashes of their passwords: `npm run users:import -- <file.csv | file.json>`. Nothing is
 * imported when a line is faulty; whoever has an account already is left as they are, so it may be run again.
 *   --skip-faulty  imports the other lines
 *   --allow-roles  takes the column `role` for what it says
 */
await withAccounts(parameters, async (accounts, { file, skipFaulty, allowRoles }) => {
  try {
    tell(
      await accounts.get(UserImport).run(() => recordsOfFile(file), { skipFaulty, allowRoles }),
      skipFaulty,
    );
  } catch (error) {
    if (error instanceof UserFileFault) throw new UsageError(`${file}: ${error.message}`);
    if (errorCode(error) === 'ENOENT') throw new UsageError(`${file} can't be read: no such file`);
    throw error;
  }
});

function parameters(): { file: string; skipFaulty: boolean; allowRoles: boolean } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'skip-faulty': { type: 'boolean', default: false },
      'allow-roles': { type: 'boolean', default: false },
    },
  });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1)
    throw new UsageError(
      'usage: npm run users:import -- <file.csv | file.json> [--skip-faulty] [--allow-roles]',
    );
  return { file, skipFaulty: values['skip-faulty'], allowRoles: values['allow-roles'] };
}

function tell({ imported, existing, faults }: ImportReport, skipFaulty: boolean): void {
  for (const { line, message } of faults) console.error(`line ${line}: ${message}`);
  for (const { line, email } of existing) console.log(`line ${line}: ${email} has an account; left as it is`);
  console.log(`${imported} imported, ${existing.length} left as they are, ${faults.length} faults`);
  if (faults.length === 0 || skipFaulty) return;
  console.error('Nothing was imported. Put the faults right, or skip these lines by --skip-faulty.');
  process.exitCode = 1;
}
