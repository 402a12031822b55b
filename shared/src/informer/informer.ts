import type { KubeObject } from '../kube/objects.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { BackoffOptions } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';
import { type ReflectorTiming, reflect } from './reflector.ts';
import { type Change, type Entry, type Indexes, ObjectStore, storeKey } from './store.ts';

export type InformerEvent<T> = Change<T>;

export interface InformerStatus {
  /** A watch is open and the store follows it. */
  readonly connected: boolean;
  /** Why not, or what went wrong last; absent once a watch is open again. */
  readonly lastError?: string;
  /** Complete lists read after the first one. */
  readonly relists: number;
}

export interface InformerOptions<T extends KubeObject> {
  readonly upstream: Upstream;
  /** Of the collection, without query: `/clusters/root/apis/core.kcp.io/v1alpha1/logicalclusters`, or every logical cluster's with `*` for `root`. */
  readonly path: string;
  readonly labelSelector?: string;
  /** `metadata.name=one`: who may read one object by its name may follow it so. */
  readonly fieldSelector?: string;
  /** For messages and metrics. */
  readonly name: string;
  /** Slims an object before it is stored; pure. Default: stored as it came. */
  readonly project?: (object: KubeObject) => T;
  /** Name → the keys under which an object is found with `byIndex`; pure. */
  readonly indexes?: Indexes<T>;
  /** Items per page where the server does not stream lists; 0: all at once. Default 500. */
  readonly pageSize?: number;
  /** Told every failure; `attempt` counts those in a row, and is 0 for a listener that threw. Must not throw itself. */
  readonly onError?: (error: Error, attempt: number) => void;
  /** Tells listeners all changes of one event, or of one list, by calling `emit` once, before it returns. Default: just that. */
  readonly batch?: (emit: () => void) => void;
  readonly backoff?: BackoffOptions;
  readonly timing?: ReflectorTiming;
  readonly clock?: Clock;
  /** Bytes of one watch event; default 16 MiB. */
  readonly maxLineBytes?: number;
}

/** A live copy of one collection of one shard, over all its logical clusters. */
export interface Informer<T extends KubeObject> {
  readonly name: string;
  /** Once; an informer that was stopped stays stopped. */
  start(): void;
  stop(): void;
  /** True from the first complete list on. */
  synced(): boolean;
  /** Rejects when the informer is stopped before. */
  whenSynced(): Promise<void>;
  get(cluster: string, name: string, namespace?: string): T | undefined;
  /** In no particular order. */
  list(): T[];
  byIndex(index: string, key: string): T[];
  /** The version that the store is at; empty before the first list. */
  readonly resourceVersion: string;
  /**
   * Called synchronously for every change that follows, after the store has it. A consumer that comes late reads `list()` in the same
   * tick. Returns how to stop listening.
   */
  onEvent(listener: (event: InformerEvent<T>) => void): () => void;
  readonly status: InformerStatus;
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

export function createInformer<T extends KubeObject = KubeObject>(options: InformerOptions<T>): Informer<T> {
  const { name, project = (object: KubeObject) => object as T, clock = systemClock, batch = emit => emit() } = options;
  const store = new ObjectStore<T>(project, options.indexes);
  const controller = new AbortController();
  const listeners = new Set<(event: InformerEvent<T>) => void>();
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  let started = false;
  let lists = 0;
  let resourceVersion = '';
  let connected = false;
  let lastError: string | undefined;

  const report = (error: Error, attempt: number): void => {
    lastError = error.message;
    try {
      options.onError?.(error, attempt);
    } catch (thrown) {
      lastError = `onError of informer ${name} threw: ${asError(thrown).message}`;
    }
  };

  const emit = (changes: readonly Change<T>[]): void => {
    if (changes.length === 0) return;
    try {
      batch(() => emitEach(changes));
    } catch (thrown) {
      // The store has the changes: nobody would be told them by reading everything again.
      report(new Error(`batch of informer ${name} threw: ${asError(thrown).message}`, { cause: thrown }), 0);
    }
  };

  const emitEach = (changes: readonly Change<T>[]): void => {
    for (const change of changes) {
      for (const listener of [...listeners]) {
        if (controller.signal.aborted) return;
        try {
          listener(change);
        } catch (thrown) {
          report(new Error(`a listener of informer ${name} threw: ${asError(thrown).message}`, { cause: thrown }), 0);
        }
      }
    }
  };

  const stoppedEarly = (): Error => new Error(`informer ${name} was stopped before it had synced`);

  return {
    name,
    start() {
      if (started) return;
      started = true;
      const run = reflect<Entry<T>>(
        {
          upstream: options.upstream,
          path: options.path,
          query: {
            ...(options.labelSelector && { labelSelector: options.labelSelector }),
            ...(options.fieldSelector && { fieldSelector: options.fieldSelector }),
          },
          name,
          pageSize: options.pageSize ?? 500,
          maxLineBytes: options.maxLineBytes ?? 16 * 1024 * 1024,
          clock,
          backoff: options.backoff ?? {},
          timing: options.timing ?? {},
          sink: {
            prepare: object => store.entry(object),
            replace(entries, version) {
              const changes = store.replace(entries);
              resourceVersion = version;
              lists += 1;
              emit(changes);
              for (const { resolve } of waiting.splice(0)) resolve();
            },
            apply(type, entry, version) {
              const changes = type === 'DELETED' ? store.remove(entry) : store.put(entry);
              resourceVersion = version;
              emit(changes);
            },
            advance(version) {
              resourceVersion = version;
            },
            connected(now) {
              connected = now && !controller.signal.aborted;
              if (now) lastError = undefined;
            },
            failed: report,
          },
        },
        controller.signal,
      );
      run.catch(thrown => {
        connected = false;
        report(new Error(`informer ${name} ended: ${asError(thrown).message}`, { cause: thrown }), 0);
      });
    },
    stop() {
      controller.abort();
      connected = false;
      for (const { reject } of waiting.splice(0)) reject(stoppedEarly());
    },
    synced: () => lists > 0,
    whenSynced() {
      if (lists > 0) return Promise.resolve();
      if (controller.signal.aborted) return Promise.reject(stoppedEarly());
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    get: (cluster, objectName, namespace = '') => store.get(storeKey(cluster, namespace, objectName)),
    list: () => store.list(),
    byIndex: (index, key) => store.byIndex(index, key),
    get resourceVersion() {
      return resourceVersion;
    },
    onEvent(listener) {
      // A function of its own, so that the same listener may be registered twice and dropped once.
      const own = (event: InformerEvent<T>): void => listener(event);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    get status() {
      return { connected, ...(lastError !== undefined && { lastError }), relists: Math.max(0, lists - 1) };
    },
  };
}
