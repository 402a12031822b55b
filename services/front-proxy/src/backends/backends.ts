import { setTimeout as sleep } from 'node:timers/promises';
import type { Limits } from '@kcp-vw/shared/config/options.ts';
import type { TlsMaterial } from '@kcp-vw/shared/upstream/endpoint.ts';
import { createUpstream, type ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import { type Address, type AddressSource, allAddresses, keyOf, type UrlAddress } from '../addresses/addresses.ts';
import { createEjection, type Ejection } from './ejection.ts';
import { rendezvous } from './rendezvous.ts';
import type { SelfTest, SelfTestFailure } from './self-test.ts';
import type { ServiceCredentials } from './service-credentials.ts';

/** A process of a service, with the connections to it. */
export interface Backend {
  readonly address: Address;
  readonly upstream: Upstream;
  /** As it last answered when it was asked; those that are ready get the requests, and the others only when there is none. */
  readonly ready: boolean;
  /** Why it gets no requests whatever it answers: callers might not arrive there as who they are. Undefined: it has passed its self-test. */
  distrust(): SelfTestFailure | undefined;
  /** Says what it has answered. */
  setReady(ready: boolean): void;
}

/** `untrusted`: all that are up have failed their self-test. */
export type Unpicked = 'down' | 'untrusted' | 'unknown';

/** The services that are up, each with its connections. */
export interface Backends {
  /**
   * The least busy backend of a view that serves `shard`; without one, whichever it serves. Those that have not `failed` this request before
   * come first, then those that are ready, then those that are not left alone for a while: as far as there are any, so that the last one is
   * used whatever is known of it, except before it has passed its self-test. `down` when none is up, `unknown` when there never was such a view.
   * With a `caller`, not the least busy but always the same for him: the versions of one process mean nothing to another.
   */
  pick(view: string, failed?: ReadonlySet<Upstream>, shard?: string, caller?: string): Upstream | Unpicked;
  /** The shards that a view's addresses are of, undefined for whichever is asked for: of this view only, or one team could confuse all. */
  shardsOf(view: string): readonly (string | undefined)[];
  /** A request found it `unreachable` or `untrusted`, or its connection was `reset` before there was an answer. */
  failed(upstream: Upstream): void;
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
  /** Tests each process before it gets requests, and tells when something has come out. Absent: all are trusted. */
  readonly test?: (upstream: Upstream, onResult: () => void) => SelfTest;
  /** Milliseconds of a clock that never goes back; tests set it. */
  readonly now?: () => number;
}

interface Connected extends Backend {
  address: Address;
  readonly upstream: ManagedUpstream;
  ready: boolean;
  readonly ejection: Ejection;
  readonly test: SelfTest | undefined;
}

/** Unix sockets cost little, TLS connections some memory on both sides; the services have limits of their own towards the shard. */
const UNARY_CONNECTIONS = { socket: 1_000, url: 250 };

const RETIRE_LOOK_MS = 100;

/**
 * Connections follow the addresses. A restarted process is another instance and so another backend, even at the same address: nothing
 * of the dead one's connections is used again.
 */
export function createBackends(options: BackendsOptions): Backends {
  const { source, credentials, limits, onError, test, now = () => performance.now() } = options;
  const backends = new Map<string, Connected>();
  let all: readonly Connected[] = [];
  const retiring = new Set<Upstream>();
  const waiting = new Set<() => void>();

  const wakeAll = (): void => {
    for (const wake of [...waiting]) wake();
  };
  const connect = (address: Address): ManagedUpstream => {
    const common = { name: address.service, limits };
    if ('socketPath' in address) {
      const { socketPath } = address;
      return createUpstream({ ...common, origin: { socketPath }, unary: { connections: UNARY_CONNECTIONS.socket } });
    }
    const { url, policy } = address;
    return createUpstream({
      ...common,
      origin: new URL(url),
      tls: tlsFor(address, credentials),
      lookup: policy.lookupFor(url),
      unary: { connections: UNARY_CONNECTIONS.url },
    });
  };
  const open = (address: Address): Connected => {
    const ejection = createEjection(now);
    const upstream = connect(address);
    const underTest = test?.(upstream, wakeAll);
    const backend: Connected = {
      address,
      upstream,
      ejection,
      ready: false,
      test: underTest,
      distrust: () => underTest?.failure(),
      setReady(ready) {
        backend.ready = ready;
        ejection.healthKnown(ready);
      },
    };
    return backend;
  };
  /** A socket is gone with its process; what was at a URL may still be there, and in the middle of its answers. */
  const retire = async ({ address, upstream, test: underTest }: Connected): Promise<void> => {
    underTest?.stop();
    retiring.add(upstream);
    const deadline = performance.now() + ('url' in address ? limits.drain : 0);
    while (load(upstream) > 0 && performance.now() < deadline) await sleep(RETIRE_LOOK_MS, undefined, { ref: false });
    retiring.delete(upstream);
    await upstream.close();
  };
  const sync = (): void => {
    const current = new Map(allAddresses(source).map(address => [keyOf(address), address]));
    for (const [key, backend] of backends) {
      if (current.has(key)) continue;
      backends.delete(key);
      retire(backend).catch(onError);
    }
    for (const [key, address] of current) {
      const backend = backends.get(key);
      if (backend) {
        backend.address = address;
        continue;
      }
      try {
        backends.set(key, open(address));
      } catch (error) {
        // One that cannot be used leaves the others alone.
        onError(error);
      }
    }
    all = [...backends.values()];
    wakeAll();
  };
  sync();
  const unsubscribe = source.onChange(sync);
  const stopRenewing = credentials?.onChange(() => {
    for (const { address, upstream } of backends.values()) {
      if ('url' in address) upstream.setCredentials({ tls: tlsFor(address, credentials) });
    }
  });

  return {
    pick(view, failed, shard, caller) {
      const addresses = source.addressesOf(view);
      if (addresses === undefined) return 'unknown';
      const found = (address: Address): Connected | undefined =>
        servesShard(address, shard) ? backends.get(keyOf(address)) : undefined;
      const [only] = addresses;
      if (only && addresses.length === 1) {
        const backend = found(only);
        return backend?.distrust() === undefined ? (backend?.upstream ?? 'down') : whyNot([backend]);
      }
      const there = addresses.map(found).filter(backend => backend !== undefined);
      const up = addresses.flatMap(address => {
        const backend = found(address);
        return backend && backend.distrust() === undefined ? { backend, isServing: address.ready !== false } : [];
      });
      const fresh = preferring(up, ({ backend }) => !failed?.has(backend.upstream));
      const ready = preferring(fresh, ({ backend, isServing }) => backend.ready && isServing);
      const best = preferring(ready, ({ backend }) => !backend.ejection.isOut()).map(({ backend }) => backend);
      if (best.length === 0) return whyNot(there);
      if (caller !== undefined) return rendezvous(caller, best, ({ address }) => keyOf(address)).upstream;
      return best.map(({ upstream }) => upstream).reduce((least, other) => (load(other) < load(least) ? other : least));
    },
    shardsOf: view => (source.addressesOf(view) ?? []).map(({ shard }) => shard),
    failed: upstream => all.find(backend => backend.upstream === upstream)?.ejection.connectionFailed(),
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
    all: () => all,
    async close() {
      unsubscribe();
      stopRenewing?.();
      for (const { test: underTest } of all) underTest?.stop();
      const open = [...all.map(({ upstream }) => upstream), ...retiring];
      await Promise.all(open.map(upstream => upstream.close()));
    },
  };
}

const whyNot = (there: readonly Backend[]): 'untrusted' | 'down' =>
  there.length > 0 && there.every(backend => backend.distrust()?.isUntrusted) ? 'untrusted' : 'down';

const servesShard = (address: Address, shard: string | undefined): boolean =>
  shard === undefined || address.shard === undefined || address.shard === shard;

/** Throws where nothing says whose certificates count: without authorities of their own, connections would believe the system's. */
function tlsFor({ service, instance, ca }: UrlAddress, credentials: ServiceCredentials | undefined): TlsMaterial {
  if (credentials === undefined) throw new Error(`${service} is at a url, and there is no certificate to reach it with`);
  const { cert, key } = credentials.tls;
  const authorities = ca ?? credentials.tls.ca;
  if (authorities === undefined) throw new Error(`nothing says whose certificates count at ${service} ${instance}`);
  return { ca: authorities, cert, key };
}

/** Those that meet the condition, or all of them where none does. */
function preferring<T>(all: readonly T[], condition: (one: T) => boolean): readonly T[] {
  const chosen = all.filter(condition);
  return chosen.length > 0 ? chosen : all;
}

function load(upstream: Upstream): number {
  const { unaryInFlight, watchStreams, tunnels = 0 } = upstream.stats();
  return unaryInFlight + watchStreams + tunnels;
}
