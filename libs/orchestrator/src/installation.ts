import { join } from 'node:path';
import { DataSource, In, IsNull, Not } from 'typeorm';
import { keptName, SecretBox } from '#common';
import { AppConfig } from '#config';
import { Installation, Slice } from '#database';

/** Of slices that stand in the way, so many are named. */
const NAMED_AT_MOST = 5;

/** This installation's id (eight hexadecimal digits): part of every name that stands outside our own database. */
export class InstallationId {
  constructor(readonly value: string) {}
}

/**
 * Reads the installation, and makes sure that this gateway fits it before it touches any slice.
 * @throws Error that says which variable is another one than that of the gateways before
 */
export async function openInstallation(
  dataSource: DataSource,
  box: SecretBox,
  config: AppConfig,
): Promise<InstallationId> {
  const [installation] = await dataSource.manager.find(Installation, { take: 1 });
  if (installation === undefined) throw new Error('The table "installation" is empty; restore its one row.');
  await assertSecretKey(dataSource, installation, box);
  await assertRuntime(dataSource, config.slices.runtime);
  if (config.slices.runtime === 'process') await assertProcessHome(dataSource, slicesFolder(config));
  return new InstallationId(installation.id);
}

/**
 * What is sealed in the database can be opened by one key alone: that of the first gateway, or the one it was rotated
 * to. While a rotation goes on either will do.
 */
async function assertSecretKey(dataSource: DataSource, { id }: Installation, box: SecretBox): Promise<void> {
  const [check, previous] = box.macs('installation', id);
  const [[row]] = await dataSource.query<[[{ stored: Buffer }], number]>(
    'UPDATE installation SET secret_check = coalesce(secret_check, $1) RETURNING secret_check AS stored',
    [check],
  );
  if (check?.equals(row.stored) === true || previous?.equals(row.stored) === true) return;
  throw new Error(
    'SECRET_KEY is another one than this database was set up with, so nothing that is sealed in it can be read. ' +
      'Set the SECRET_KEY of the gateways before; outside production it is in secrets.json of their DATA_DIR.',
  );
}

/**
 * A runtime can neither run the slices of another one nor end what still runs of them, a slice of the pool or one that
 * is on its way out included: only a gateway with the runtime that made them can. What was registered as it ran needs
 * none.
 */
async function assertRuntime(dataSource: DataSource, runtime: Slice['runtime']): Promise<void> {
  const others = await dataSource.manager.find(Slice, {
    select: { id: true, runtime: true },
    where: { runtime: Not(In([runtime, 'external'])), destroyedAt: IsNull() },
    order: { id: 'ASC' },
  });
  const [first] = others;
  if (first === undefined) return;
  throw new Error(
    `This installation has slices that are run by ${first.runtime} (${namesOf(others)}), and this gateway runs slices ` +
      `by ${runtime}. Destroy them first, by a gateway with SLICE_RUNTIME=${first.runtime} and SLICE_POOL_SIZE=0; ` +
      'or start this one with another DATA_DIR, and another database where you named one.',
  );
}

function namesOf(slices: readonly Slice[]): string {
  const ids = slices.slice(0, NAMED_AT_MOST).map(({ id }) => id);
  const more = slices.length > ids.length ? ` and ${slices.length - ids.length} more` : '';
  return `slice${slices.length === 1 ? '' : 's'} ${ids.join(', ')}${more}`;
}

/**
 * The files of process slices are in one folder of one host. A gateway with another folder would start every slice a
 * second time, without its files.
 */
async function assertProcessHome(dataSource: DataSource, folder: string): Promise<void> {
  const home = await keptName(join(folder, 'home'));
  await dataSource.query(
    `UPDATE installation SET process_home = $1
      WHERE coalesce(process_home, '') = ''
         OR NOT EXISTS (SELECT FROM slice WHERE runtime = 'process' AND destroyed_at IS NULL)`,
    [home],
  );
  const [row] = await dataSource.query<[{ home: string }]>('SELECT process_home AS home FROM installation');
  if (row.home === home) return;
  throw new Error(
    'The process slices of this installation live in another DATA_DIR. Start the gateway with that one, on that host; ' +
      'or run slices in containers (SLICE_IMAGE), which any gateway can reach.',
  );
}

/** Where process slices keep their files, those of each installation in a folder of its own. */
export function slicesFolder({ dataDir }: AppConfig): string {
  return join(dataDir, 'slices');
}
