import { setTimeout as sleep } from 'node:timers/promises';
import type { Limits } from '@kcp-vw/shared/config/options.ts';
import { createUpstream, type ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import { type Address, type AddressSource, keyOf } from './addresses.ts';
import type { ServiceCredentials } from './service-credentials.ts';

/** A process of a service, with the connections to it. */
export interface Backend {
  readonly address: Address;
  readonly upstream: Upstream;
  /** As it last said itself; those that are ready get the requests, and the others only when there is none. */
  ready: boolean;
}

/** The services that are up, each with its connections. */
export interface Backends {
  /**
   * The least busy backend of a view, of those that are ready and have not `failed` this request before as far as there are any; `down`
   * when none is up, `unknown` when there never was one.
   */
  pick(view: string, failed?: ReadonlySet<Upstream>): Upstream | 'down' | 'unknown';
  /** Resolves with true when the addresses have changed, with false after `milliseconds`. */
  changed(milliseconds: number): Promise<boolean>;
  all(): readonly Backend[];
  close(): Promise<void>;
}

export interface BackendsOptions {
  readonly source: AddressSource;
  /** For services that are reached by URL. */
  readonly credentials?: ServiceCredentials | undefined;
  readonly limits: Limits;
  readonly onError: (error: unknown) => void;
}

/** Unix sockets cost little, TLS connections some memory on both sides; the services have limits of their own towards the shard. */
const UNARY_CONNECTIONS = { socket: 1_000, url: 250 };

const RETIRE_LOOK_MS = 100;

/**
 * Connections follow the addresses. A restarted process is another instance and so another backend, even at the same address: nothing
 * of the dead one's connections is used again.
 */
export function createBackends({ source, credentials, limits, onError }: BackendsOptions): Backends {
  const backends = new Map<string, Backend & { readonly upstream: ManagedUpstream }>();
  const retiring = new Set<Upstream>();
  const waiting = new Set<() => void>();

  const connect = (address: Address): ManagedUpstream => {
    const common = { name: address.service, limits };
    if ('socketPath' in address) {
      const { socketPath } = address;
      return createUpstream({ ...common, origin: { socketPath }, unary: { connections: UNARY_CONNECTIONS.socket } });
    }
    if (credentials === undefined)
      throw new Error(`${address.service} is at a url, and there is no certificate to reach it with`);
    const { tls } = credentials;
    return createUpstream({ ...common, origin: new URL(address.url), tls, unary: { connections: UNARY_CONNECTIONS.url } });
  };
  /** A socket is gone with its process; what was at a URL may still be there, and in the middle of its answers. */
  const retire = async ({ address, upstream }: Backend): Promise<void> => {
    retiring.add(upstream);
    const deadline = performance.now() + ('url' in address ? limits.drain : 0);
    while (load(upstream) > 0 && performance.now() < deadline) await sleep(RETIRE_LOOK_MS, undefined, { ref: false });
    retiring.delete(upstream);
    await upstream.close();
  };
  const sync = (): void => {
    const current = new Map(source.all().map(address => [keyOf(address), address]));
    for (const [key, backend] of backends) {
      if (current.has(key)) continue;
      backends.delete(key);
      retire(backend).catch(onError);
    }
    for (const [key, address] of current) {
      if (!backends.has(key)) backends.set(key, { address, upstream: connect(address), ready: false });
    }
    for (const wake of [...waiting]) wake();
  };
  sync();
  const unsubscribe = source.onChange(sync);
  const stopRenewing = credentials?.onChange(() => {
    for (const { address, upstream } of backends.values()) {
      if ('url' in address) upstream.setCredentials({ tls: credentials.tls });
    }
  });

  return {
    pick(view, failed) {
      const addresses = source.addressesOf(view);
      if (addresses === undefined) return 'unknown';
      const up = addresses.map(address => backends.get(keyOf(address))).filter(backend => backend !== undefined);
      const fresh = preferring(up, ({ upstream }) => !failed?.has(upstream));
      const best = preferring(fresh, ({ ready }) => ready).map(({ upstream }) => upstream);
      return best.length === 0 ? 'down' : best.reduce((least, other) => (load(other) < load(least) ? other : least));
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
        // Who waits here is a request, whose socket keeps the process, or somebody who is no reason to keep it.
        timer.unref();
        waiting.add(wake);
      }),
    all: () => [...backends.values()],
    async close() {
      unsubscribe();
      stopRenewing?.();
      const all = [...[...backends.values()].map(({ upstream }) => upstream), ...retiring];
      await Promise.all(all.map(upstream => upstream.close()));
    },
  };
}

/** Those that meet the condition, or all of them where none does. */
function preferring<T>(all: readonly T[], condition: (one: T) => boolean): readonly T[] {
  const chosen = all.filter(condition);
  return chosen.length > 0 ? chosen : all;
}

function load(upstream: Upstream): number {
  const { unaryInFlight, watchStreams } = upstream.stats();
  return unaryInFlight + watchStreams;
}
