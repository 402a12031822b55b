import type { Limits } from '@kcp-vw/shared/config/options.ts';
import { createUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { Address, AddressSource } from './addresses.ts';

/** The services that are up, each with its connections. */
export interface Backends {
  /** The least busy backend of a view; `down` when none is up, `unknown` when there never was one. */
  pick(view: string): Upstream | 'down' | 'unknown';
  /** Resolves with true when the addresses have changed, with false after `milliseconds`. */
  changed(milliseconds: number): Promise<boolean>;
  all(): readonly { readonly address: Address; readonly upstream: Upstream }[];
  close(): Promise<void>;
}

/** Unix sockets cost little; the services have limits of their own towards the shard. */
const UNARY_CONNECTIONS = 1_000;

/**
 * Connections follow the addresses. A restarted process has another pid and so another backend, even on the same socket path: nothing
 * of the dead one's connections is used again.
 */
export function createBackends(source: AddressSource, limits: Limits, onError: (error: unknown) => void): Backends {
  const upstreams = new Map<string, { address: Address; upstream: Upstream }>();
  const waiting = new Set<() => void>();
  const keyOf = (address: Address): string => `${address.pid} ${address.socketPath}`;

  const sync = (): void => {
    const current = new Map(source.all().map(address => [keyOf(address), address]));
    for (const [key, { upstream }] of upstreams) {
      if (current.has(key)) continue;
      upstreams.delete(key);
      upstream.close().catch(onError);
    }
    for (const [key, address] of current) {
      if (upstreams.has(key)) continue;
      const upstream = createUpstream({
        name: address.service,
        origin: { socketPath: address.socketPath },
        limits,
        unary: { connections: UNARY_CONNECTIONS },
      });
      upstreams.set(key, { address, upstream });
    }
    for (const wake of [...waiting]) wake();
  };
  sync();
  const unsubscribe = source.onChange(sync);

  const load = (upstream: Upstream): number => {
    const { unaryInFlight, watchStreams } = upstream.stats();
    return unaryInFlight + watchStreams;
  };

  return {
    pick(view) {
      const addresses = source.addressesOf(view);
      if (addresses === undefined) return 'unknown';
      const up = addresses.map(address => upstreams.get(keyOf(address))?.upstream).filter(upstream => upstream !== undefined);
      return up.length === 0 ? 'down' : up.reduce((best, candidate) => (load(candidate) < load(best) ? candidate : best));
    },
    changed: milliseconds =>
      new Promise(resolve => {
        const done = (changed: boolean): void => {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve(changed);
        };
        const wake = (): void => done(true);
        const timer = setTimeout(() => done(false), milliseconds);
        waiting.add(wake);
      }),
    all: () => [...upstreams.values()],
    async close() {
      unsubscribe();
      await Promise.all([...upstreams.values()].map(({ upstream }) => upstream.close()));
    },
  };
}
