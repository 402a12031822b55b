import { clusterOf, type KubeObject } from '../kube/objects.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Informer } from './informer.ts';
import { storeKey } from './store.ts';

export interface ReconcileOptions<T extends KubeObject> {
  /**
   * Brings about what the object asks for. Called for an object that is there, is new or has changed; never for two states of one object at
   * a time. When it rejects it is called again, with the latest state, as long as the object is there.
   */
  readonly reconcile: (object: T) => Promise<void>;
  /** Told every rejection. Must not throw itself. */
  readonly onError: (error: Error, object: T) => void;
  /** Objects at a time; default 10. */
  readonly concurrency?: number;
  /** Milliseconds until an object is tried again; default 500. */
  readonly retryAfter?: number;
  readonly clock?: Clock;
}

type Place = readonly [cluster: string, name: string, namespace: string];

/** The loop of a controller over an informer's objects, of which no more is kept than which of them wait. Returns how to end it. */
export function reconcileObjects<T extends KubeObject>(
  informer: Pick<Informer<T>, 'get' | 'list' | 'onEvent'>,
  { reconcile, onError, concurrency = 10, retryAfter = 500, clock = systemClock }: ReconcileOptions<T>,
): () => void {
  const waiting = new Map<string, Place>();
  const underWay = new Set<string>();
  const retries = new Map<string, () => void>();
  let stopped = false;

  const add = (key: string, place: Place): void => {
    waiting.set(key, place);
    begin();
  };

  function begin(): void {
    for (const [key, place] of waiting) {
      if (stopped || underWay.size >= concurrency) return;
      if (underWay.has(key)) continue;
      waiting.delete(key);
      void work(key, place);
    }
  }

  async function work(key: string, place: Place): Promise<void> {
    const object = informer.get(...place);
    if (object === undefined) return;
    underWay.add(key);
    try {
      await reconcile(object);
    } catch (thrown) {
      if (!stopped) again(key, place);
      if (!stopped) onError(thrown instanceof Error ? thrown : new Error(String(thrown)), object);
    } finally {
      underWay.delete(key);
      begin();
    }
  }

  function again(key: string, place: Place): void {
    retries.get(key)?.();
    const cancel = clock.after(retryAfter, () => {
      retries.delete(key);
      add(key, place);
    });
    retries.set(key, cancel);
  }

  const look = (object: T): void => {
    const { name = '', namespace = '' } = object.metadata ?? {};
    const cluster = clusterOf(object);
    add(storeKey(cluster, namespace, name), [cluster, name, namespace]);
  };
  for (const object of informer.list()) look(object);
  const stopListening = informer.onEvent(({ type, object }) => {
    if (type !== 'DELETED') look(object);
  });
  return () => {
    stopped = true;
    stopListening();
    for (const cancel of retries.values()) cancel();
  };
}
