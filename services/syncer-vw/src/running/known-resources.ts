import { isDeepStrictEqual } from 'node:util';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import { type MergePatch, patchOf } from '../controllers/merge-patch.ts';
import type { SyncedResource, SyncTarget } from '../controllers/sync-target.ts';
import { syncedResourcesPatch } from '../controllers/synced-resources.ts';
import type { Exports } from '../knowledge/knowledge.ts';
import { exportLookup } from './export-lookup.ts';

/**
 * The resources of a SyncTarget, from the exports that are known. As long as one of them cannot be read nothing is taken away: a
 * resource that goes takes what its syncer has said of it along, and the syncer ends what runs there.
 */
export function knownResourcesPatch(target: SyncTarget, exports: Pick<Exports, 'find' | 'missingOf'>): MergePatch | undefined {
  const patch = syncedResourcesPatch(target, exportLookup(exports));
  const references = target.spec?.supportedAPIExports ?? [];
  if (patch === undefined || !references.some(({ path }) => exports.missingOf(path || clusterOf(target)))) return patch;
  const present = target.status?.syncedResources ?? [];
  const found = (patch.status?.syncedResources ?? []) as readonly SyncedResource[];
  const names = new Set(found.map(nameOf));
  const all = [...found, ...present.filter(one => !names.has(nameOf(one)))].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  return isDeepStrictEqual(all, present) ? undefined : patchOf(target, { status: { syncedResources: all } });
}

/** None of the three has a blank in it. */
const nameOf = ({ group = '', resource, identityHash = '' }: SyncedResource): string => `${group} ${resource} ${identityHash}`;
