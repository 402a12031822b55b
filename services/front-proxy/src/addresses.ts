/** Where a view is served. */
export interface Address {
  /** Path of a Unix socket in the fleet's private directory. */
  readonly socketPath: string;
  /** The service that listens there: `initializer-vw`. */
  readonly service: string;
  readonly pid: number;
}

/** Tells where views are served, now and as it changes. The front proxy knows nothing of where that is written. */
export interface AddressSource {
  /** Addresses of a view; empty when none is up; undefined when no such view has ever been announced. */
  addressesOf(view: string): readonly Address[] | undefined;
  /** Every address, each once. */
  all(): readonly Address[];
  onChange(listener: () => void): () => void;
  close(): void;
}
