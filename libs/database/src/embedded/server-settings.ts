/** Connections at the most, all databases of the server together. */
export const MAX_CONNECTIONS = 500;

/** Of these, so many are kept for the gateway: slices that use up all the others don't lock it out. */
export const RESERVED_CONNECTIONS = 60;

export interface ServerSettings {
  port: number;
  /** Beside 127.0.0.1, such as the Docker bridge's. */
  listenAddresses: readonly string[];
  /** The version of the binaries: a server that still runs on older ones is restarted. */
  version: string;
  /** Over Sluice's own: the tests turn `fsync` off. */
  overrides: Readonly<Record<string, string>>;
}

/**
 * The text of `postgresql.conf`. It is written before every start, so that what a server runs with is what this
 * version of Sluice means, and not what the version that made the data directory meant.
 */
export function postgresqlConf({ port, listenAddresses, version, overrides }: ServerSettings): string {
  const settings: Record<string, string> = {
    listen_addresses: ['127.0.0.1', ...listenAddresses].join(','),
    port: String(port),
    // A socket file would let every local user try, and its path has a length limit.
    unix_socket_directories: '',
    max_connections: String(MAX_CONNECTIONS),
    superuser_reserved_connections: '3',
    reserved_connections: String(RESERVED_CONNECTIONS - 3),
    password_encryption: 'scram-sha-256',
    // Sized for a small machine that runs customers' slices too.
    shared_buffers: '64MB',
    work_mem: '4MB',
    maintenance_work_mem: '32MB',
    max_wal_size: '512MB',
    min_wal_size: '64MB',
    io_method: 'sync',
    max_parallel_workers_per_gather: '0',
    max_logical_replication_workers: '0',
    jit: 'off',
    // A query of a gateway that was killed ends, and lets go of its locks.
    client_connection_check_interval: '5s',
    // Statement texts can hold a slice's password.
    log_min_error_statement: 'panic',
    log_line_prefix: '%m [%p] %d ',
    log_timezone: 'UTC',
    timezone: 'UTC',
    ...overrides,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  return [`# Written by Sluice at every start, for the binaries ${version}.`, ...lines, ''].join('\n');
}

/**
 * The text of `pg_hba.conf`: passwords always, and the gateway's own role from this machine alone. Containers come by
 * an address of a network this machine is on.
 */
export function hbaConf(
  superuser: string,
  { listenAddresses }: Pick<ServerSettings, 'listenAddresses'>,
): string {
  const local = 'host all all 127.0.0.1/32 scram-sha-256';
  const containers = [`host all ${superuser} all reject`, 'host all all samenet scram-sha-256'];
  return [
    '# Written by Sluice at every start.',
    local,
    ...(listenAddresses.length > 0 ? containers : []),
    '',
  ].join('\n');
}
