import { readFileSync } from 'node:fs';
import { watchFiles } from '@kcp-vw/shared/config/files.ts';
import type { Address, AddressSource } from './addresses.ts';

interface AddressFile {
  readonly views: Readonly<Record<string, readonly Address[]>>;
}

/** Milliseconds between two looks at the file: a restarted service is found again within this. */
const POLL_MS = 100;

/**
 * Addresses from a JSON file that the supervisor replaces as services come and go: `{"views": {"<view>": [{socketPath, service, pid}]}}`.
 * A file that cannot be read or understood leaves the last good addresses in force and is told to `onError`.
 */
export function fileAddresses(file: string, onError: (error: Error) => void): AddressSource {
  const listeners = new Set<() => void>();
  let views: ReadonlyMap<string, readonly Address[]> = new Map();
  const known = new Set<string>();

  const load = (): void => {
    try {
      views = parse(readFileSync(file, 'utf8'), file);
      for (const view of views.keys()) known.add(view);
    } catch (cause) {
      onError(new Error(`the addresses in ${file} could not be read; the last ones stay in force`, { cause }));
      return;
    }
    for (const listener of [...listeners]) listener();
  };
  load();
  const watcher = watchFiles([file], load, { intervalMs: POLL_MS, onError });

  return {
    addressesOf: view => views.get(view) ?? (known.has(view) ? [] : undefined),
    all: () => [...new Map([...views.values()].flat().map(address => [address.socketPath, address])).values()],
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => watcher.close(),
  };
}

/** A Map: a view's name comes from the path of a request, and `constructor` is no view. */
function parse(text: string, file: string): ReadonlyMap<string, readonly Address[]> {
  const { views } = JSON.parse(text) as Partial<AddressFile>;
  if (views === null || typeof views !== 'object') throw new Error(`${file}: "views" is missing`);
  for (const [view, addresses] of Object.entries(views)) {
    const valid = Array.isArray(addresses) && addresses.every(address => typeof address.socketPath === 'string');
    if (!valid) throw new Error(`${file}: the addresses of ${view} are not a list of {socketPath, service, pid}`);
  }
  return new Map(Object.entries(views));
}
