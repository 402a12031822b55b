import { isDeepStrictEqual } from 'node:util';
import type { Informer } from '@kcp-vw/shared/informer/informer.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { stateLabel, syncerFinalizer, UPSYNC } from '@kcp-vw/syncer-vw/transform/names.ts';
import { type Client, isRefused } from './client.ts';
import type { Downstream, DownstreamObjects } from './downstream.ts';
import { namespaceFor, type Syncer } from './namespaces.ts';
import { collectionPath, objectPath, type Place, type Resource, upstreamPath } from './resources.ts';
import { asStored, upsyncedObject, VERSION_ANNOTATION } from './upsync-object.ts';

export interface UpsyncLoop {
  readonly resource: Resource;
  readonly syncer: Syncer;
  /** What is upsynced already, on one shard. */
  readonly stored: Pick<Informer<KubeObject>, 'get'>;
  /** The upsyncer URL. */
  readonly upstream: Client;
  readonly downstream: Pick<Downstream, 'client'>;
  readonly objects: Pick<DownstreamObjects, 'find'>;
}

/**
 * Makes the object upstream what the one downstream is. The version that it shows is written last, so what was interrupted is done again;
 * the order of creation, status and version is the only one, whether the object is new or not.
 */
export async function upsync(place: Place, loop: UpsyncLoop): Promise<void> {
  const { resource, syncer, stored, upstream, objects } = loop;
  const { cluster, namespace, name } = place;
  const object = objects.find(downstreamNamespace(syncer, place), name);
  const known = stored.get(cluster, name, namespace);
  if (object === undefined) {
    if (known && !(await isDownstream(place, loop))) await remove(place, known, loop);
    return;
  }
  const version = object.metadata?.resourceVersion;
  if (known && known.metadata?.annotations?.[VERSION_ANNOTATION] === version) return;

  const wanted = upsyncedObject(object, syncer, namespace);
  const path = upstreamPath(resource, place);
  let now = known ?? (await create(upstream, resource, place, asStored(wanted, {}, undefined)));
  if (wanted.status !== undefined && !isDeepStrictEqual(now.status, wanted.status)) {
    now = await upstream.send<KubeObject>('PUT', `${path}/status`, { ...now, status: wanted.status });
  }
  await upstream.send('PUT', path, asStored(wanted, now, version));
}

/** Cluster-scoped objects have no namespace anywhere. */
const downstreamNamespace = (syncer: Syncer, { cluster, namespace }: Place): string =>
  namespace && namespaceFor(syncer, { cluster, namespace });

/** One that was made by an attempt which has not heard of it is taken as it is. */
async function create(upstream: Client, resource: Resource, place: Place, object: KubeObject): Promise<KubeObject> {
  try {
    return await upstream.send<KubeObject>(
      'POST',
      `/clusters/${place.cluster}${collectionPath(resource, place.namespace)}`,
      object,
    );
  } catch (error) {
    const made = isRefused(error, 409) ? await upstream.find<KubeObject>(upstreamPath(resource, place)) : undefined;
    if (made) return made;
    throw error;
  }
}

/** What is not in the cache may still be there, when the cache is of a server that lags behind. */
async function isDownstream(place: Place, { resource, syncer, downstream }: UpsyncLoop): Promise<boolean> {
  const path = objectPath(resource, downstreamNamespace(syncer, place), place.name);
  const object = await downstream.client.find<KubeObject>(path);
  if (object === undefined) return false;
  if (object.metadata?.labels?.[stateLabel(syncer.key)] !== UPSYNC) return false;
  throw new Error('is downstream, and not known here yet');
}

/** Its finalizer first: what is deleted with it would stay. */
async function remove(place: Place, known: KubeObject, { resource, syncer, upstream }: UpsyncLoop): Promise<void> {
  const path = upstreamPath(resource, place);
  const finalizers = known.metadata?.finalizers ?? [];
  const remaining = finalizers.filter(one => one !== syncerFinalizer(syncer.key));
  try {
    if (remaining.length < finalizers.length) {
      await upstream.send('PUT', path, { ...known, metadata: { ...known.metadata, finalizers: remaining } });
    }
    await upstream.send('DELETE', path, { preconditions: { uid: known.metadata?.uid } });
  } catch (error) {
    if (!isRefused(error, 404)) throw error;
  }
}
