import { isDeepStrictEqual } from 'node:util';
import type { Informer } from '@kcp-vw/shared/informer/informer.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { syncerFinalizer } from '@kcp-vw/syncer-vw/transform/names.ts';
import type { Apply } from './apply.ts';
import { type Client, isRefused } from './client.ts';
import type { Downstream } from './downstream.ts';
import { downstreamObject } from './downstream-object.ts';
import { isGoneUpstream } from './gone.ts';
import { isFromShard } from './loops.ts';
import { downstreamName, OWNER_LABEL, upstreamName } from './names.ts';
import { ensureNamespace, locatorFor, namespaceFor, type Syncer } from './namespaces.ts';
import { NAMESPACES, objectPath, type Place, type Resource, upstreamPath } from './resources.ts';

export interface SpecLoop {
  readonly resource: Resource;
  readonly syncer: Syncer;
  /** What this syncer sees of the resource, on one shard. */
  readonly views: Pick<Informer<KubeObject>, 'get'>;
  /** The syncer URL. */
  readonly upstream: Client;
  readonly downstream: Pick<Downstream, 'client' | 'namespaces'>;
  readonly apply: Apply;
  /** Of the virtual workspaces that the objects come from. */
  readonly shard: string;
  readonly kcp: URL;
  readonly upsyncPods: () => boolean;
}

/** `wait`: the object is leaving downstream, which is told by an event, and may be asked for again. */
export type SpecOutcome = 'done' | 'wait';

/**
 * One step towards what a view asks for. Each is told by an event of the view or of the copy, which brings the next one, so it does not
 * matter after which of them a syncer ends: first its finalizer is set, so that the object stays until its copy is gone; then the copy is
 * made and kept; at last the copy goes, and the finalizer after it.
 */
export async function syncSpec(place: Place, loop: SpecLoop): Promise<SpecOutcome> {
  const { resource, syncer, views, upstream, downstream, apply, shard, kcp, upsyncPods } = loop;
  const { cluster, namespace, name } = place;
  const view = views.get(cluster, name, namespace);
  if (view === undefined) return withdraw(place, loop);

  const finalizer = syncerFinalizer(syncer.key);
  const finalizers = view.metadata?.finalizers ?? [];
  const write = (next: readonly string[]): Promise<unknown> =>
    upstream.send('PUT', upstreamPath(resource, place), { ...view, metadata: { ...view.metadata, finalizers: next } });

  if (view.metadata?.deletionTimestamp) {
    if (!(await isGone(place, loop))) return 'wait';
    if (finalizers.includes(finalizer)) await released(write(finalizers.filter(one => one !== finalizer)));
    return 'done';
  }
  refuseTakenName(resource, name);
  if (!finalizers.includes(finalizer)) {
    await write([...finalizers, finalizer]);
    return 'done';
  }
  await ensureNamespace(syncer, downstream, locatorFor(syncer, place), shard);
  const options = { resource, key: syncer.key, namespace: namespaceFor(syncer, place), kcp, upsyncPods: upsyncPods() };
  await apply(resource, downstreamObject(view, options));
  return 'done';
}

/** Of an object that is not seen. What is not on this shard may be on the one that its namespace comes from. */
async function withdraw(place: Place, loop: SpecLoop): Promise<SpecOutcome> {
  const { resource, syncer, upstream, downstream, shard } = loop;
  const namespace = await downstream.client.find<KubeObject>(objectPath(NAMESPACES, '', namespaceFor(syncer, place)));
  if (!isFromShard(namespace, shard)) return 'done';
  if (!(await isGoneUpstream(upstream, resource, place))) return 'wait';
  return (await isGone(place, loop)) ? 'done' : 'wait';
}

/** Asks for the deletion of the copy. True if there is none; one that somebody else has made is none. */
async function isGone({ cluster, namespace, name }: Place, { resource, syncer, downstream }: SpecLoop): Promise<boolean> {
  const path = objectPath(resource, namespaceFor(syncer, { cluster, namespace }), downstreamName(resource, name));
  const copy = await downstream.client.find<KubeObject>(path);
  if (copy === undefined || copy.metadata?.labels?.[OWNER_LABEL] !== syncer.key) return true;
  if (copy.metadata.deletionTimestamp) return false;
  try {
    await downstream.client.send('DELETE', path, { preconditions: { uid: copy.metadata.uid } });
  } catch (error) {
    // 409: another one has taken its place, which is looked at next.
    if (!isRefused(error, 404, 409)) throw error;
  }
  return false;
}

/** An object that is gone by now, or that was taken from this syncer, needs no finalizer removed. */
async function released(writing: Promise<unknown>): Promise<void> {
  try {
    await writing;
  } catch (error) {
    if (!isRefused(error, 404)) throw error;
  }
}

/** Two objects cannot have one copy: this name is what another one is called downstream. */
function refuseTakenName(resource: Resource, name: string): void {
  const original = upstreamName(resource, downstreamName(resource, name));
  if (original !== name) throw new Error(`is not synced: downstream, ${name} is the copy of ${original}`);
}

/** Whether a change of a view is one for the spec: the status is this syncer's own, and versions count only changes. */
export function hasSpecChanged(previous: KubeObject | undefined, view: KubeObject): boolean {
  return previous === undefined || !isDeepStrictEqual(specOf(previous), specOf(view));
}

function specOf({ status: _status, metadata = {}, ...rest }: KubeObject): object {
  const { resourceVersion: _version, generation: _generation, managedFields: _fields, ...kept } = metadata;
  return { ...rest, metadata: kept };
}
