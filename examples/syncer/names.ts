import { createHash } from 'node:crypto';
import { kcpHash } from '@kcp-vw/shared/kube/kcp-hash.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { SyncTargetIdentity } from '@kcp-vw/syncer-vw/controllers/sync-target.ts';
import { CONFIG_MAPS, isSame, type Resource, SECRETS } from './resources.ts';

/** On everything that this syncer has made downstream: the key of its SyncTarget. */
export const OWNER_LABEL = 'internal.workload.kcp.io/cluster';
/** On namespaces: the logical cluster that they are of, as a hash. All of one tenant have the same. */
export const TENANT_LABEL = 'kcp.io/tenant-id';
/** On namespaces, and on cluster-scoped objects that are upsynced: where they belong upstream. */
export const LOCATOR_ANNOTATION = 'kcp.io/namespace-locator';
/** On namespaces: the shard that they come from, by the URL of its virtual workspaces. Only that one can say that they are gone. */
export const SHARD_ANNOTATION = 'internal.workload.kcp.io/syncer-shard';

/** What a downstream namespace is the copy of, and whose. The order of the keys is part of its name. */
export interface Locator {
  readonly syncTarget: SyncTargetIdentity;
  /** Logical cluster. */
  readonly cluster: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
}

export const locatorText = ({ syncTarget, cluster, namespace }: Locator): string =>
  JSON.stringify({
    syncTarget: { cluster: syncTarget.cluster, name: syncTarget.name, uid: syncTarget.uid },
    cluster,
    namespace,
  });

/** `kcp-` and the begin of a hash: no two namespaces of all workspaces have the same. */
export const namespaceName = (locator: Locator): string => `kcp-${base36(locatorText(locator)).slice(0, 12)}`;

export const tenantId = (locator: Locator): string => kcpHash(locatorText({ ...locator, namespace: '' }));

const base36 = (text: string): string => BigInt(`0x${createHash('sha224').update(text).digest('hex')}`).toString(36);

/** Undefined for an object without one. Throws for one that cannot be read. */
export function locatorOf({ metadata }: KubeObject): Locator | undefined {
  const text = metadata?.annotations?.[LOCATOR_ANNOTATION];
  if (text === undefined) return undefined;
  const { syncTarget, cluster, namespace = '' } = parsed(text, metadata?.name ?? '');
  // Syncers of the first releases called the SyncTarget's logical cluster so.
  const { name, uid, cluster: targetCluster = syncTarget?.path } = syncTarget ?? {};
  const texts = [name, uid, targetCluster, cluster, namespace];
  if (!texts.every(one => typeof one === 'string')) throw unreadable(metadata?.name ?? '', text);
  const [targetName = '', targetUid = '', of = '', where = '', inNamespace = ''] = texts as string[];
  return { syncTarget: { cluster: of, name: targetName, uid: targetUid }, cluster: where, namespace: inNamespace };
}

interface StoredLocator {
  readonly syncTarget?: Readonly<Record<string, unknown>>;
  readonly cluster?: unknown;
  readonly namespace?: unknown;
}

function parsed(text: string, object: string): StoredLocator {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as StoredLocator;
  } catch (cause) {
    throw unreadable(object, text, cause);
  }
  throw unreadable(object, text);
}

const unreadable = (object: string, text: string, cause?: unknown): Error =>
  new Error(`the annotation ${LOCATOR_ANNOTATION} of ${object} says nothing: ${JSON.stringify(text)}`, { cause });

export const isSameLocator = (a: Locator, b: Locator): boolean => locatorText(a) === locatorText(b);

/** Downstream, every namespace has these of its own: those from upstream need other names. */
const ROOT_CA = 'kube-root-ca.crt';
const SYNCED_ROOT_CA = 'kcp-root-ca.crt';
const DEFAULT_TOKEN = 'default-token-';
const SYNCED_DEFAULT_TOKEN = 'kcp-default-token-';

export function downstreamName(resource: Resource, name: string): string {
  if (isSame(resource, CONFIG_MAPS) && name === ROOT_CA) return SYNCED_ROOT_CA;
  if (isSame(resource, SECRETS) && name.startsWith(DEFAULT_TOKEN)) return `kcp-${name}`;
  return name;
}

export function upstreamName(resource: Resource, name: string): string {
  if (isSame(resource, CONFIG_MAPS) && name === SYNCED_ROOT_CA) return ROOT_CA;
  if (isSame(resource, SECRETS) && name.startsWith(SYNCED_DEFAULT_TOKEN)) return name.slice('kcp-'.length);
  return name;
}
