import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Snapshot, WorkspaceIndex } from '../index/snapshot.ts';
import { withoutOwnerRecord } from '../index/workspace-object.ts';
import type { Sight } from '../sight/sight.ts';
import type { UntilApplied, Written } from './applied.ts';

/** What a shard has answered to a write, as the caller may see it: with a version of the view, and without the record of the owner. */
export async function shownAfterWrite({ index, sight, applied, written }: WriteContext, object: KubeObject): Promise<KubeObject> {
  const shown = withoutOwnerRecord(object);
  // What would have been made has no version yet.
  if (object.metadata?.resourceVersion === undefined) return shown;
  const resourceVersion = String(versionOf(index, sight, object, await applied(object, written)));
  return { ...shown, metadata: { ...shown.metadata, resourceVersion } };
}

export interface WriteContext {
  readonly index: Pick<WorkspaceIndex, 'version'>;
  readonly sight: Pick<Sight, 'get'>;
  readonly applied: UntilApplied;
  readonly written: Written;
}

function versionOf(
  index: Pick<WorkspaceIndex, 'version'>,
  sight: Pick<Sight, 'get'>,
  { metadata = {} }: KubeObject,
  applied: Snapshot | undefined,
): bigint {
  if (applied === undefined || applied.object.metadata?.uid !== metadata.uid) return index.version;
  // It has changed again: who writes on from what was answered has to be told so.
  if (applied.upstreamVersion !== metadata.resourceVersion) return applied.objectVersion - 1n;
  const seen = sight.get(applied.parent, applied.name);
  return seen?.snapshot === applied ? seen.version : applied.objectVersion;
}
