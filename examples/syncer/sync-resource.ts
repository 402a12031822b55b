import type { Informer } from '@kcp-vw/shared/informer/informer.ts';
import { createWorkQueue } from '@kcp-vw/shared/informer/work-queue.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Downstream, DownstreamObjects } from './downstream.ts';
import { BY_NAMESPACE, isFromShard, keyInNamespace, messageOf, namespaceKey, placeOf, upstreamKey } from './loops.ts';
import { ownLocator } from './namespaces.ts';
import { textOf } from './resources.ts';
import { RETRY } from './retry.ts';
import { hasSpecChanged, type SpecLoop, syncSpec } from './spec-loop.ts';
import { hasStatusChanged, syncStatus } from './status-loop.ts';

export interface SyncOptions extends Omit<SpecLoop, 'views' | 'downstream'> {
  /** Not started yet, with the index `BY_NAMESPACE`. */
  readonly views: Informer<KubeObject>;
  readonly downstream: Pick<Downstream, 'client' | 'namespaces'>;
  readonly copies: DownstreamObjects;
  readonly onVacated: (cluster: string, namespace: string) => void;
  readonly say: (text: string) => void;
}

/** How long a copy that is being deleted may be silent before it is looked at again. */
const LOOK_AGAIN_MS = 5_000;

/** The loops of one resource on one shard, one for what is asked for and one for what has come of it. Returns how to end them. */
export function startSync(options: SyncOptions): () => void {
  const { resource, syncer, views, copies, downstream, shard, onVacated, say } = options;
  const { namespaces } = downstream;
  const tell =
    (what: string) =>
    (key: string, error: unknown): void =>
      say(`${textOf(resource)} ${key}: ${what}: ${messageOf(error)}; trying again`);

  const specs = createWorkQueue({
    work: async key => ((await syncSpec(placeOf(key), options)) === 'wait' ? { recheckAfterMs: LOOK_AGAIN_MS } : undefined),
    onError: tell('spec'),
    backoff: RETRY,
  });
  const statuses = createWorkQueue({
    async work(key) {
      await syncStatus(placeOf(key), options);
      return undefined;
    },
    onError: tell('status'),
    backoff: RETRY,
  });
  const ends: (() => void)[] = [];

  function withKey({ metadata }: KubeObject, then: (key: string) => void): void {
    const { namespace = '', name = '' } = metadata ?? {};
    try {
      const key = keyInNamespace(name, resource, syncer, namespaces.find('', namespace), shard);
      if (key !== undefined) then(key);
    } catch (error) {
      say(`${textOf(resource)} downstream: ${messageOf(error)}`);
    }
  }

  function onView({ type, object, previous }: Parameters<Parameters<Informer<KubeObject>['onEvent']>[0]>[0]): void {
    const key = upstreamKey(object);
    if (type === 'DELETED') {
      specs.add(key);
      onVacated(clusterOf(object), object.metadata?.namespace ?? '');
      return;
    }
    if (hasSpecChanged(previous, object)) specs.add(key);
    if (hasStatusChanged(previous, object)) statuses.add(key);
  }

  /** A namespace that comes is what copies were waiting for that came before it; one that goes has taken its copies along. */
  function onNamespace(type: string, namespace: KubeObject): void {
    if (!isFromShard(namespace, shard)) return;
    if (type !== 'DELETED') {
      for (const copy of copies.list()) if (copy.metadata?.namespace === namespace.metadata?.name) withKey(copy, statuses.add);
      return;
    }
    try {
      const { cluster = '', namespace: upstream = '' } = ownLocator(syncer, namespace) ?? {};
      for (const view of views.byIndex(BY_NAMESPACE, namespaceKey(cluster, upstream))) specs.add(upstreamKey(view));
    } catch (error) {
      say(`${textOf(resource)} downstream: ${messageOf(error)}`);
    }
  }

  /** Only when all of it is known: before, what is not there yet would look like what is gone. */
  async function begin(): Promise<void> {
    await Promise.all([views.whenSynced(), copies.whenSynced(), namespaces.whenSynced()]);
    ends.push(
      views.onEvent(onView),
      copies.onEvent(({ type, object, previous }) =>
        withKey(object, key => {
          if (type === 'DELETED') specs.add(key);
          else if (hasStatusChanged(previous, object)) statuses.add(key);
        }),
      ),
      namespaces.onEvent(({ type, object }) => onNamespace(type, object)),
    );
    for (const view of views.list()) specs.add(upstreamKey(view));
    for (const copy of copies.list()) {
      withKey(copy, statuses.add);
      // Its upstream may have gone while nobody looked.
      withKey(copy, specs.add);
    }
  }

  let isStopped = false;
  views.start();
  begin().catch(error => {
    if (!isStopped) say(`${textOf(resource)}: ${messageOf(error)}`);
  });
  return () => {
    isStopped = true;
    views.stop();
    for (const end of ends) end();
    void specs.stop();
    void statuses.stop();
  };
}
