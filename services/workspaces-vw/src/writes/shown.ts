import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Snapshot, WorkspaceIndex } from '../index/snapshot.ts';
import { OWNER_ANNOTATION } from '../index/workspace-object.ts';
import type { Sight } from '../sight/sight.ts';
import { untilApplied, type Written } from './applied.ts';

/** What a shard has answered to a write, as the caller may see it: with a version of the view, and without the record of the owner. */
export async function shownAfterWrite({ index, sight, parent, written }: WriteContext, object: KubeObject): Promise<KubeObject> {
  const shown = withoutOwner(object);
  // What would have been made has no version yet.
  if (object.metadata?.resourceVersion === undefined) return shown;
  const applied = await untilApplied(index, parent, object, written);
  const resourceVersion = String(versionOf(index, sight, object, applied));
  return { ...shown, metadata: { ...shown.metadata, resourceVersion } };
}

export interface WriteContext {
  readonly index: Pick<WorkspaceIndex, 'find' | 'follow' | 'version'>;
  readonly sight: Pick<Sight, 'get'>;
  readonly parent: string;
  readonly written: Written;
}

export function withoutOwner(object: KubeObject): KubeObject {
  const { annotations } = object.metadata ?? {};
  if (annotations?.[OWNER_ANNOTATION] === undefined) return object;
  const { [OWNER_ANNOTATION]: _, ...others } = annotations;
  return { ...object, metadata: { ...object.metadata, annotations: others } };
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
