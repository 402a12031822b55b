import type { EndpointPolicy } from '../endpoints/endpoint-policy.ts';

/** Where a process of a service serves a view. */
export type Address = SocketAddress | UrlAddress;

interface ServiceInstance {
  /** The service that listens there: `initializer-vw`. */
  readonly service: string;
  /** Tells the processes of a service apart, also one from the next at the same place: a pid, or the name of a pod. */
  readonly instance: string;
  /** The shard that it serves; absent: whichever is asked for. */
  readonly shard?: string;
  /** False: it says itself that it starts, or drains, and is used when there is nobody else. */
  readonly ready?: boolean;
}

export interface SocketAddress extends ServiceInstance {
  /** Path of a Unix socket in the fleet's private directory. */
  readonly socketPath: string;
}

export interface UrlAddress extends ServiceInstance {
  /** `https://host:port` and nothing behind it. */
  readonly url: string;
  /** Judges what the name in `url` leads to, each time that it is dialled. */
  readonly policy: EndpointPolicy;
  /** PEM: the only authorities whose certificates count there. Absent: those that the front proxy is configured with. */
  readonly ca?: string;
}

/** They are asked for with each request, and certificates are long. */
const keys = new WeakMap<Address, string>();

/** What is different for each process there has ever been, and for each way of being connected with it. */
export function keyOf(address: Address): string {
  const known = keys.get(address);
  if (known !== undefined) return known;
  const key = writeKey(address);
  keys.set(address, key);
  return key;
}

const writeKey = (address: Address): string =>
  JSON.stringify([
    address.service,
    address.instance,
    ...('url' in address ? [address.url, address.policy.key, address.ca] : [address.socketPath]),
  ]);

/** Tells where views are served, now and as it changes. The front proxy knows nothing of where that is written. */
export interface AddressSource {
  /** Addresses of a view; empty when none is up; undefined when no such view has ever been announced. */
  addressesOf(view: string): readonly Address[] | undefined;
  /** The views that are announced now. */
  views(): readonly string[];
  onChange(listener: () => void): () => void;
  close(): void;
}

/** Every address, each once. */
export const allAddresses = (source: AddressSource): readonly Address[] => [
  ...new Map(
    source
      .views()
      .flatMap(view => (source.addressesOf(view) ?? []).map((address): [string, Address] => [keyOf(address), address])),
  ).values(),
];
