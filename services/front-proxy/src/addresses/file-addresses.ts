import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { watchFiles } from '@kcp-vw/shared/config/files.ts';
import type { AddressSource } from './addresses.ts';
import { type Addresses, type ReadAddressesOptions, readAddresses } from './read-addresses.ts';

/**
 * Milliseconds between two looks at the file, where the system does not tell of a change: Kubernetes swaps a symbolic link above it.
 * Looks that follow one another closely are a good part of what an idle front proxy costs.
 */
const POLL_MS = 1_000;

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
  const changes = changesOf(file, () => void watcher.check());

  return {
    addressesOf: view => views.get(view) ?? (known.has(view) ? [] : undefined),
    views: () => [...views.keys()],
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      changes?.close();
      watcher.close();
    },
  };
}

/** Milliseconds after a change until the file is read: it may be written in pieces. */
const SETTLE_MS = 20;

/** Calls `onChange` when the file has been replaced or written. Undefined where that cannot be known: its looks are all there is then. */
function changesOf(file: string, onChange: () => void): FSWatcher | undefined {
  let settling: NodeJS.Timeout | undefined;
  try {
    const name = basename(file);
    const watcher = watch(dirname(file), { persistent: false }, (_event, changed) => {
      if (changed === null || changed === name) settling = settling?.refresh() ?? setTimeout(onChange, SETTLE_MS).unref();
    });
    // The folder has gone, say. A look tells what is wrong with the file.
    watcher.on('error', () => watcher.close());
    watcher.on('close', () => clearTimeout(settling));
    return watcher;
  } catch {
    // No more watches are to be had: each system has a limit.
    return undefined;
  }
}
