/** Where and as whom a slice reaches its own database. */
export interface SliceDatabaseAccess {
  database: string;
  role: string;
  password: string;
}

/** A database or role on the server that carries this installation's mark. */
export interface SliceDatabaseRemnant {
  kind: 'database' | 'role';
  sliceId: number;
  name: string;
}

/**
 * Port: the databases of the slices. Every method is safe to repeat, and heals what an earlier call left half done.
 */
export abstract class SliceDatabase {
  /**
   * Role and database are there, with this password, and nobody else can connect.
   * @throws ForeignResourceError when something of that name belongs to somebody else
   */
  abstract ensure(sliceId: number, password: string): Promise<SliceDatabaseAccess>;

  /** Database and role are gone, whoever is connected. */
  abstract drop(sliceId: number): Promise<void>;

  /** What this installation has on the server. */
  abstract list(): Promise<SliceDatabaseRemnant[]>;

  /** How many slices the server's connections allow in all, beside the gateways that run now. */
  abstract capacity(): Promise<number>;
}
