import { refuseVersion } from '@kcp-vw/shared/answer/serve-options.ts';
import { refuseFuture, snapshotFor, writeToken } from '@kcp-vw/shared/answer/serve-snapshot.ts';
import { notFound } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject, ListMeta } from '@kcp-vw/shared/kube/objects.ts';
import type { ResourceCall } from './call.ts';
import { collectionOf } from './collection.ts';
import { representationOf } from './representation.ts';
import { type Selected, selectedBy } from './selection.ts';
import { sendBody } from './send.ts';

/** One object; its status is read like the object itself. */
export async function get(call: ResourceCall): Promise<void> {
  const { exchange, store, stored, cluster, namespace, request, rest } = call;
  const resourceVersion = rest.query.get('resourceVersion') ?? '';
  refuseVersion(resourceVersion);
  refuseFuture(resourceVersion, store.resourceVersion);
  const representation = representationOf(call, 'get');
  const object = store.get(stored, cluster, request.name, namespace);
  if (object === undefined) throw notFound(call.definition, request.name);
  await sendBody(exchange, 200, representation.mediaType, Buffer.from(representation.object(object)));
}

export async function list(call: ResourceCall): Promise<void> {
  const selected = selectedBy(call);
  const representation = representationOf(call, 'list');
  const { items, metadata } = page(call, selected);
  await sendBody(call.exchange, 200, representation.mediaType, representation.list(items, metadata));
}

/** A list's objects, or as many as its limit allows. */
export function page(
  call: ResourceCall,
  { options, selection }: Selected,
): { readonly items: readonly KubeObject[]; readonly metadata: ListMeta } {
  const snapshot = snapshotFor(collectionOf(call.store, call.definition, call.apiVersion, call), options);
  const rest = [...snapshot.items];
  const found = selection === undefined ? rest : rest.filter(selection);
  const { limit } = options;
  const items = limit === 0 ? found : found.slice(0, limit);
  const remaining = found.length - items.length;
  const last = items.at(-1);
  const metadata: ListMeta = {
    resourceVersion: snapshot.resourceVersion,
    ...(last !== undefined && remaining > 0 && { continue: writeToken(snapshot.resourceVersion, last) }),
    // Kubernetes does not count what a selector leaves out.
    ...(remaining > 0 && selection === undefined && { remainingItemCount: remaining }),
  };
  return { items, metadata };
}
