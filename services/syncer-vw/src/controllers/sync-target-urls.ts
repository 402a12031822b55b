import { isDeepStrictEqual } from 'node:util';
import { internalError } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { syncTargetKey } from '../transform/sync-target-key.ts';
import { type MergePatch, patchOfAnyVersion } from './merge-patch.ts';
import { identityOf, KEY_LABEL, type SyncTarget, type SyncTargetIdentity, type VirtualWorkspaceUrls } from './sync-target.ts';

/** `core.kcp.io/v1alpha1 Shard`. */
export interface Shard extends KubeObject {
  readonly spec?: { readonly virtualWorkspaceURL?: string };
}

/** The shard that a syncer of the first release asks, which takes the first entry and no other. */
const ROOT_SHARD = 'root';

/** What a SyncTarget is to be told; the two are written one after the other, since its status is a resource of its own. */
export interface SyncTargetUrlPatches {
  readonly metadata?: MergePatch;
  readonly status?: MergePatch;
}

/**
 * The URLs of a SyncTarget's syncer on each shard, and the label with its key. Throws a StatusError 500 for a shard whose URL is
 * none: the URLs stay as they are, since to leave one out would end what a syncer does there.
 */
export function syncTargetUrlPatches(target: SyncTarget, shards: readonly Shard[]): SyncTargetUrlPatches {
  const identity = identityOf(target);
  const key = syncTargetKey(identity);
  const virtualWorkspaces = virtualWorkspaceUrls(identity, shards);
  const isKnown = isDeepStrictEqual(target.status?.virtualWorkspaces ?? [], virtualWorkspaces);
  const isLabelled = target.metadata?.labels?.[KEY_LABEL] === key;
  const metadata = isLabelled ? undefined : patchOfAnyVersion(target, { labels: { [KEY_LABEL]: key } });
  const status = isKnown ? undefined : patchOfAnyVersion(target, { status: { virtualWorkspaces } });
  return { ...(metadata && { metadata }), ...(status && { status }) };
}

/** One pair for each URL that shards have, the root shard's first and the others sorted by URL. */
export function virtualWorkspaceUrls(target: SyncTargetIdentity, shards: readonly Shard[]): readonly VirtualWorkspaceUrls[] {
  const bases = shards
    .flatMap(shard => baseOf(shard) ?? [])
    .sort((a, b) => Number(b.isRoot) - Number(a.isRoot) || (a.base < b.base ? -1 : 1));
  return [...new Set(bases.map(({ base }) => base))].map(base => ({
    syncerURL: `${base}/services/syncer/${pathOf(target)}`,
    upsyncerURL: `${base}/services/upsyncer/${pathOf(target)}`,
  }));
}

const pathOf = ({ cluster, name, uid }: SyncTargetIdentity): string => [cluster, name, uid].join('/');

/** Without the slash at the end, so that one server is not two. Undefined for a shard that has none. */
function baseOf({ metadata, spec }: Shard): { readonly base: string; readonly isRoot: boolean } | undefined {
  const text = spec?.virtualWorkspaceURL;
  if (!text) return undefined;
  const url = URL.parse(text);
  if (url === null || !url.protocol.startsWith('http')) {
    throw internalError(`spec.virtualWorkspaceURL of the shard "${metadata?.name}" is no URL: ${JSON.stringify(text)}`);
  }
  return { base: `${url.origin}${url.pathname.replace(/\/+$/, '')}`, isRoot: metadata?.name === ROOT_SHARD };
}
