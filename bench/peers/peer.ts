/** A proxy that runs, in front of the benchmark's upstream. */
export interface Peer extends AsyncDisposable {
  readonly name: string;
  /** A request to this is answered by the upstream. */
  readonly url: string;
  /** The `Cookie` headers of those who may; none where anybody may. */
  readonly cookies: readonly string[];
  /** CPU time of the proxy so far, in seconds: of everything it needs, its authentication included. */
  cpuSeconds(): number;
  /** Resident memory, in bytes. */
  residentBytes(): number;
}

/** Starts a peer in front of an upstream, given as `http://host:port`. */
export type StartPeer = (upstream: string) => Promise<Peer>;
