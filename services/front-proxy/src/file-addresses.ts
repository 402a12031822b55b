import { watchFiles } from '@kcp-vw/shared/config/files.ts';
import { type Address, type AddressSource, keyOf } from './addresses.ts';
import { type Addresses, type ReadAddressesOptions, readAddresses } from './read-addresses.ts';

/** Milliseconds between two looks at the file: a restarted service is found again within this. */
const POLL_MS = 100;

/**
 * Addresses from a JSON file that is replaced as services come and go: by the supervisor, or by whoever runs the front proxy by itself.
 * Throws when it cannot be used now. Later, a file that cannot be read or understood leaves the last good addresses in force and is told
 * to `onError`.
 */
export function fileAddresses(options: ReadAddressesOptions, onError: (error: Error) => void): AddressSource {
  const { file } = options;
  const listeners = new Set<() => void>();
  const known = new Set<string>();
  let views: Addresses = new Map();

  const load = (): void => {
    views = readAddresses(options);
    for (const view of views.keys()) known.add(view);
    for (const listener of [...listeners]) listener();
  };
  load();
  const watcher = watchFiles([file], load, {
    intervalMs: POLL_MS,
    onError: cause => onError(new Error(`the addresses in ${file} could not be read; the last ones stay in force`, { cause })),
  });

  return {
    addressesOf: view => views.get(view) ?? (known.has(view) ? [] : undefined),
    all: () => [...new Map([...views.values()].flat().map((address): [string, Address] => [keyOf(address), address])).values()],
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => watcher.close(),
  };
}
