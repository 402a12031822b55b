import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** As `dns.lookup` with `all: true`. */
export type Resolve = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Finds a name's addresses and gives those that may be dialled. It is asked for each connection and its answer is what is connected to, so
 * that a name cannot lead elsewhere between the question and the connection (DNS rebinding).
 */
export function guardedLookup(refusalOf: (address: string) => string | undefined, resolve: Resolve = lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const usable = addresses.filter(({ address }) => refusalOf(address) === undefined);
      const [first] = usable;
      if (!first) return callback(new Error(`${hostname} may not be dialled: ${reasonsOf(addresses, refusalOf)}`), []);
      if (options.all) callback(null, usable);
      else callback(null, first.address, first.family);
    });
  };
}

function reasonsOf(addresses: readonly LookupAddress[], refusalOf: (address: string) => string | undefined): string {
  const reasons = addresses.map(({ address }) => refusalOf(address)).sort();
  return reasons.length === 0 ? 'it has no address' : reasons.join(', ');
}
