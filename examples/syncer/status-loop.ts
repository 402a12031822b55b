import { isDeepStrictEqual } from 'node:util';
import type { Informer } from '@kcp-vw/shared/informer/informer.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { syncerFinalizer } from '@kcp-vw/syncer-vw/transform/names.ts';
import type { Client } from './client.ts';
import type { DownstreamObjects } from './downstream.ts';
import { downstreamName } from './names.ts';
import { namespaceFor, type Syncer } from './namespaces.ts';
import { type Place, type Resource, upstreamPath } from './resources.ts';

export interface StatusLoop {
  readonly resource: Resource;
  readonly syncer: Syncer;
  readonly views: Pick<Informer<KubeObject>, 'get'>;
  /** The syncer URL. */
  readonly upstream: Client;
  readonly copies: Pick<DownstreamObjects, 'find'>;
}

/**
 * Writes the status of a copy upstream. A conflict rejects: when the next attempt comes, the view that has made it is there. Without the
 * finalizer the object is not this syncer's to write; its event comes.
 */
export async function syncStatus(place: Place, { resource, syncer, views, upstream, copies }: StatusLoop): Promise<void> {
  const view = views.get(place.cluster, place.name, place.namespace);
  const copy = copies.find(namespaceFor(syncer, place), downstreamName(resource, place.name));
  if (view === undefined || copy?.status === undefined) return;
  if (!view.metadata?.finalizers?.includes(syncerFinalizer(syncer.key))) return;
  if (isDeepStrictEqual(view.status, copy.status)) return;
  await upstream.send('PUT', `${upstreamPath(resource, place)}/status`, { ...view, status: copy.status });
}

/** Whether a change is one for the status. Of a view, a finalizer makes its status writable. */
export function hasStatusChanged(previous: KubeObject | undefined, object: KubeObject): boolean {
  if (previous === undefined) return true;
  const isSame = isDeepStrictEqual(previous.status, object.status);
  return !isSame || !isDeepStrictEqual(previous.metadata?.finalizers, object.metadata?.finalizers);
}
