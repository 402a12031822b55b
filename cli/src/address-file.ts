import { renameSync, writeFileSync } from 'node:fs';
import type { SocketAddress } from '@kcp-vw/front-proxy/addresses/addresses.ts';

const RETRY_MS = 1_000;

/** The file from which the front proxy knows where the views are. */
export interface AddressFile {
  readonly path: string;
  /** The service listens there, for these views, and no longer where it did before: there is one process of it for each shard. */
  up(address: SocketAddress, views: readonly string[]): void;
  /** Its process for that shard is gone. */
  down(service: string, shard?: string): void;
}

/**
 * `{"views": {"<view>": [{service, instance, shard, socketPath}]}}`, replaced as a whole at every change. A view that was announced once stays, with
 * an empty list while nothing serves it: the front proxy lets requests wait for it instead of saying that it does not exist.
 * A file that cannot be written (a full disk) is told to `onError` and tried again.
 */
export function createAddressFile(path: string, expectedViews: readonly string[], onError: (error: Error) => void): AddressFile {
  const views = new Map<string, SocketAddress[]>(expectedViews.map(view => [view, []]));

  const remove = (service: string, shard: string | undefined): void => {
    for (const [view, addresses] of views) {
      views.set(
        view,
        addresses.filter(address => address.service !== service || address.shard !== shard),
      );
    }
  };
  let retry: NodeJS.Timeout | undefined;
  const save = (): void => {
    clearTimeout(retry);
    const sorted = [...views].sort(([a], [b]) => (a < b ? -1 : 1));
    try {
      // Readers see the old file or the new one, never a part.
      writeFileSync(`${path}.new`, JSON.stringify({ views: Object.fromEntries(sorted) }), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    } catch (error) {
      onError(error as Error);
      retry = setTimeout(save, RETRY_MS);
      retry.unref();
    }
  };
  save();

  return {
    path,
    up(address, served) {
      remove(address.service, address.shard);
      for (const view of served) views.set(view, [...(views.get(view) ?? []), address]);
      save();
    },
    down(service, shard) {
      remove(service, shard);
      save();
    },
  };
}
