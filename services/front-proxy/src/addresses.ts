/** Where a process of a service serves a view. */
export type Address = SocketAddress | UrlAddress;

interface ServiceInstance {
  /** The service that listens there: `initializer-vw`. */
  readonly service: string;
  /** Tells the processes of a service apart, also one from the next at the same place: a pid, or the name of a pod. */
  readonly instance: string;
  /** The shard that it serves; absent: whichever is asked for. */
  readonly shard?: string;
}

export interface SocketAddress extends ServiceInstance {
  /** Path of a Unix socket in the fleet's private directory. */
  readonly socketPath: string;
}

export interface UrlAddress extends ServiceInstance {
  /** `https://host:port` and nothing behind it. */
  readonly url: string;
  /** PEM: the only authorities whose certificates count there. Absent: those that the front proxy is configured with. */
  readonly ca?: string;
}

/** What is different for each process there has ever been. */
export const keyOf = (address: Address): string =>
  JSON.stringify([address.service, address.instance, 'url' in address ? address.url : address.socketPath]);

/** Tells where views are served, now and as it changes. The front proxy knows nothing of where that is written. */
export interface AddressSource {
  /** Addresses of a view; empty when none is up; undefined when no such view has ever been announced. */
  addressesOf(view: string): readonly Address[] | undefined;
  /** Every address, each once. */
  all(): readonly Address[];
  onChange(listener: () => void): () => void;
  close(): void;
}
