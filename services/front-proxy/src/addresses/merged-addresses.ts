import type { AddressSource } from './addresses.ts';

/** Two sources as one. A view that is in the first is served from there only, whatever the second says of it. */
export function mergedAddresses(first: AddressSource, second: AddressSource): AddressSource {
  return {
    addressesOf: view =>
      first.views().includes(view) ? first.addressesOf(view) : (second.addressesOf(view) ?? first.addressesOf(view)),
    views: () => [...new Set([...first.views(), ...second.views()])],
    onChange(listener) {
      const stop = [first.onChange(listener), second.onChange(listener)];
      return () => {
        for (const end of stop) end();
      };
    },
    close() {
      first.close();
      second.close();
    },
  };
}
