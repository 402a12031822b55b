import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { SyncTargetIdentity } from '@kcp-vw/syncer-vw/controllers/sync-target.ts';
import type { SyncTargetKey } from '@kcp-vw/syncer-vw/transform/names.ts';
import { isRefused, MERGE_PATCH } from './client.ts';
import type { Downstream } from './downstream.ts';
import {
  isSameLocator,
  LOCATOR_ANNOTATION,
  type Locator,
  locatorOf,
  locatorText,
  namespaceName,
  OWNER_LABEL,
  SHARD_ANNOTATION,
  TENANT_LABEL,
  tenantId,
} from './names.ts';
import { collectionPath, NAMESPACES, objectPath, type Place } from './resources.ts';

/** Whose syncer this is. */
export interface Syncer {
  readonly target: SyncTargetIdentity;
  readonly key: SyncTargetKey;
}

export const locatorFor = ({ target }: Syncer, { cluster, namespace }: Pick<Place, 'cluster' | 'namespace'>): Locator => ({
  syncTarget: target,
  cluster,
  namespace,
});

/** Where the objects of an upstream namespace are downstream. */
export const namespaceFor = (syncer: Syncer, place: Pick<Place, 'cluster' | 'namespace'>): string =>
  namespaceName(locatorFor(syncer, place));

/** What a downstream namespace is the copy of; undefined for those of others, deleted SyncTargets of this name included. */
export function ownLocator({ target }: Syncer, namespace: KubeObject): Locator | undefined {
  const locator = locatorOf(namespace);
  return locator?.syncTarget.uid === target.uid ? locator : undefined;
}

/** Makes the downstream namespace, if it is not there. Rejects if it is there and of something else. */
export async function ensureNamespace(
  syncer: Syncer,
  { client, namespaces }: Pick<Downstream, 'client' | 'namespaces'>,
  locator: Locator,
  shard: string,
): Promise<void> {
  const name = namespaceName(locator);
  const metadata = {
    labels: { [OWNER_LABEL]: syncer.key, [TENANT_LABEL]: tenantId(locator) },
    annotations: { [LOCATOR_ANNOTATION]: locatorText(locator), [SHARD_ANNOTATION]: shard },
  };
  const path = objectPath(NAMESPACES, '', name);
  const present = namespaces.find('', name) ?? (await client.find<KubeObject>(path)) ?? (await create());
  const found = locatorOf(present);
  if (!found || !isSameLocator(found, locator)) {
    throw new Error(`the namespace ${name} downstream is ${found ? `the copy of ${locatorText(found)}` : 'nobody knows whose'}`);
  }
  if (present.metadata?.deletionTimestamp) throw new Error(`the namespace ${name} downstream is still being deleted`);
  if (!has(present, metadata)) await client.send('PATCH', path, { metadata }, MERGE_PATCH);

  async function create(): Promise<KubeObject> {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...metadata } };
    try {
      return await client.send<KubeObject>('POST', collectionPath(NAMESPACES), namespace);
    } catch (error) {
      // Two objects of one namespace come at the same time.
      const made = isRefused(error, 409) ? await client.find<KubeObject>(path) : undefined;
      if (made) return made;
      throw error;
    }
  }
}

type Names = Readonly<Record<string, string>>;

const has = ({ metadata }: KubeObject, wanted: { readonly labels: Names; readonly annotations: Names }): boolean =>
  (['labels', 'annotations'] as const).every(field =>
    Object.entries(wanted[field]).every(([name, value]) => metadata?.[field]?.[name] === value),
  );
