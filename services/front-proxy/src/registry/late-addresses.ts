import type { AddressSource } from '../addresses/addresses.ts';

/** A source that is still to come. Until then nobody knows which views there are, so that any may be one that is down. */
export interface LateAddresses extends AddressSource {
  become(source: AddressSource): void;
}

export function lateAddresses(): LateAddresses {
  const listeners = new Set<() => void>();
  let source: AddressSource | undefined;
  let closed = false;
  return {
    become(given) {
      source = given;
      if (closed) return given.close();
      const tell = (): void => {
        for (const listener of [...listeners]) listener();
      };
      given.onChange(tell);
      tell();
    },
    addressesOf: view => (source ? source.addressesOf(view) : []),
    views: () => source?.views() ?? [],
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      closed = true;
      source?.close();
    },
  };
}
