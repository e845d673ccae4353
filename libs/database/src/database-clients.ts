/**
 * Port: from where the embedded PostgreSQL has to be reached besides this host's loopback. Provided by whoever starts
 * programs that use it elsewhere.
 */
export abstract class DatabaseClients {
  /** Addresses of this host that the server listens on as well. */
  abstract listenAddresses(): Promise<readonly string[]>;
}
