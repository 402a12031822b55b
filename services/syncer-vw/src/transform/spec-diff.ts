import { applyJsonPatch, isJsonPatch } from '@kcp-vw/shared/kube/json-patch.ts';
import { isFields } from '@kcp-vw/shared/kube/merge-patch.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { annotationJson, isTooDeep } from './annotation-json.ts';
import { BrokenObject } from './broken-object.ts';
import { type SyncTargetKey, specDiffAnnotation } from './names.ts';

type Patch = Parameters<typeof applyJsonPatch>[1];

/** The object with the `.spec` that one target is to see; the same object where it has none of its own. Throws a BrokenObject. */
export function withSpecDiff(object: KubeObject, key: SyncTargetKey): KubeObject {
  const name = specDiffAnnotation(key);
  const text = object.metadata?.annotations?.[name];
  const patch = text === undefined ? undefined : (known.get(text) ?? remembered(text, patchIn(name, text)));
  if (patch === undefined || object.spec === undefined) return object;
  const spec = patched(name, object.spec, patch);
  if (!isFields(spec) || isTooDeep(spec)) throw new BrokenObject(`the annotation ${name} makes no spec of it`);
  return { ...object, spec };
}

function patchIn(name: string, text: string): Patch | undefined {
  const patch = annotationJson(name, text);
  if (patch === undefined) return undefined;
  if (!isJsonPatch(patch)) throw new BrokenObject(`the annotation ${name} is no JSON Patch`);
  if (patch.length > MOST_OPERATIONS)
    throw new BrokenObject(`the annotation ${name} has more than ${MOST_OPERATIONS} operations`);
  return patch;
}

/** Each may go through all of a spec, for every list and every target. */
const MOST_OPERATIONS = 200;

/** Patches that were read last, by their texts: objects of one list are divided alike. Nobody changes them. */
const known = new Map<string, Patch>();
const MOST_KNOWN = 256;
/** Characters of a text that is remembered. */
const MOST_REMEMBERED = 2_000;

function remembered(text: string, patch: Patch | undefined): Patch | undefined {
  if (patch === undefined || text.length > MOST_REMEMBERED) return patch;
  const [oldest] = known.keys();
  if (known.size >= MOST_KNOWN && oldest !== undefined) known.delete(oldest);
  known.set(text, patch);
  return patch;
}

function patched(name: string, spec: unknown, patch: Patch): unknown {
  try {
    return applyJsonPatch(spec, patch);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BrokenObject(`the annotation ${name} does not fit the spec: ${why}`, { cause });
  }
}
