import { applyJsonPatch, isJsonPatch } from '@kcp-vw/shared/kube/json-patch.ts';
import { isFields } from '@kcp-vw/shared/kube/merge-patch.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { annotationJson, isTooDeep } from './annotation-json.ts';
import { BrokenObject } from './broken-object.ts';
import { type SyncTargetKey, specDiffAnnotation } from './names.ts';

/** The object with the `.spec` that one target is to see; the same object where it has none of its own. Throws a BrokenObject. */
export function withSpecDiff(object: KubeObject, key: SyncTargetKey): KubeObject {
  const name = specDiffAnnotation(key);
  const patch = annotationJson(name, object.metadata?.annotations?.[name]);
  if (patch === undefined || object.spec === undefined) return object;
  if (!isJsonPatch(patch)) throw new BrokenObject(`the annotation ${name} is no JSON Patch`);
  const spec = patched(name, object.spec, patch);
  if (!isFields(spec) || isTooDeep(spec)) throw new BrokenObject(`the annotation ${name} makes no spec of it`);
  return { ...object, spec };
}

function patched(name: string, spec: unknown, patch: Parameters<typeof applyJsonPatch>[1]): unknown {
  try {
    return applyJsonPatch(spec, patch);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BrokenObject(`the annotation ${name} does not fit the spec: ${why}`, { cause });
  }
}
