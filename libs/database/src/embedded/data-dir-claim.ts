/** Key of the advisory lock that the gateway holds whose data directory this is. */
export const DATA_DIR_CLAIM = 'data-dir';

/** Another gateway runs on this data directory. The message says what to do. */
export class DataDirInUse extends Error {
  constructor() {
    super(
      'Another gateway already runs on this data directory. Stop it first; or, to run several gateways on one ' +
        'database, start each with DATABASE_URL set to the same PostgreSQL server, the same SECRET_KEY, and slices in containers (SLICE_IMAGE).',
    );
    this.name = 'DataDirInUse';
  }
}
