import type { Informer } from '@kcp-vw/shared/informer/informer.ts';
import { createWorkQueue } from '@kcp-vw/shared/informer/work-queue.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Downstream, DownstreamObjects } from './downstream.ts';
import { keyInNamespace, keyOf, messageOf, placeOf, upstreamKey } from './loops.ts';
import { ownLocator } from './namespaces.ts';
import { textOf } from './resources.ts';
import { RETRY } from './retry.ts';
import { type UpsyncLoop, upsync } from './upsync-loop.ts';

export interface UpsyncOptions extends Omit<UpsyncLoop, 'stored' | 'objects' | 'downstream'> {
  /** Not started yet. */
  readonly stored: Informer<KubeObject>;
  readonly objects: DownstreamObjects;
  readonly downstream: Pick<Downstream, 'client' | 'namespaces'>;
  /** Those upstream that are synced, of the same shard. */
  readonly namespaces: Pick<Informer<KubeObject>, 'list' | 'onEvent' | 'whenSynced'>;
  readonly shard: string;
  readonly say: (text: string) => void;
}

/** The loop of one resource that comes from downstream, for the objects of one shard. Returns how to end it. */
export function startUpsync(options: UpsyncOptions): () => void {
  const { resource, syncer, stored, objects, downstream, namespaces, shard, say } = options;
  const queue = createWorkQueue({
    async work(key) {
      await upsync(placeOf(key), options);
      return undefined;
    },
    onError: (key, error) => say(`${textOf(resource)} ${key}: upsync: ${messageOf(error)}; trying again`),
    backoff: RETRY,
  });
  const ends: (() => void)[] = [];

  /** Undefined for what is of no namespace that this shard has. */
  function keyOfObject(object: KubeObject): string | undefined {
    const { namespace = '', name = '' } = object.metadata ?? {};
    if (namespace) return keyInNamespace(name, resource, syncer, downstream.namespaces.find('', namespace), shard);
    // In no namespace, so it says itself where it belongs.
    const locator = ownLocator(syncer, object);
    const isHere = locator?.namespace === '' && namespaces.list().some(one => clusterOf(one) === locator.cluster);
    return isHere ? keyOf({ ...locator, name }) : undefined;
  }

  function look(object: KubeObject, isDeleted = false): void {
    try {
      const key = keyOfObject(object);
      if (key !== undefined) queue.add(key);
      else if (isDeleted) lookForNamesakes(object);
    } catch (error) {
      say(`${textOf(resource)} downstream: ${messageOf(error)}`);
    }
  }

  /** Its namespace may be gone before it, and with that the knowledge of where it was upstream. */
  function lookForNamesakes({ metadata }: KubeObject): void {
    for (const one of stored.list()) if (one.metadata?.name === metadata?.name) queue.add(upstreamKey(one));
  }

  async function begin(): Promise<void> {
    const all = [stored, objects, downstream.namespaces, namespaces];
    await Promise.all(all.map(informer => informer.whenSynced()));
    ends.push(
      stored.onEvent(({ object }) => queue.add(upstreamKey(object))),
      objects.onEvent(({ type, object }) => look(object, type === 'DELETED')),
      // Objects that came before what says where they belong.
      downstream.namespaces.onEvent(({ type, object: { metadata } }) => {
        if (type === 'DELETED') return;
        for (const object of objects.list()) if (object.metadata?.namespace === metadata?.name) look(object);
      }),
      namespaces.onEvent(({ type }) => {
        if (type !== 'ADDED') return;
        for (const object of objects.list()) if (!object.metadata?.namespace) look(object);
      }),
    );
    for (const object of objects.list()) look(object);
    for (const object of stored.list()) queue.add(upstreamKey(object));
  }

  let isStopped = false;
  stored.start();
  begin().catch(error => {
    if (!isStopped) say(`${textOf(resource)}: ${messageOf(error)}`);
  });
  return () => {
    isStopped = true;
    stored.stop();
    for (const end of ends) end();
    void queue.stop();
  };
}
