import {
  badRequest,
  conflict,
  forbiddenObject,
  notFound,
  type ResourceRef,
  type StatusError,
} from '@kcp-vw/shared/kube/errors.ts';
import { applyJsonPatch, isJsonPatch } from '@kcp-vw/shared/kube/json-patch.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { annotationJson, isTooDeep } from './annotation-json.ts';
import { STATE_LABEL, type SyncTargetKey, stateLabel, UPSYNC, upsyncDiffAnnotation } from './names.ts';
import { removeEntries } from './upstream-edit.ts';

/** What an upsyncer asks to store. */
export interface UpsyncWrite {
  readonly of: ResourceRef;
  readonly name: string;
  readonly key: SyncTargetKey;
  /** The upstream object as it is stored; undefined: there is none. */
  readonly stored: KubeObject | undefined;
}

type Submitted = UpsyncWrite & { readonly submitted: KubeObject };
export type Upsynced = { readonly refusal: StatusError } | { readonly object: KubeObject };

/** Whether an object is one of a target's upsyncer, which sees it as it is. */
export const isUpsynced = (object: KubeObject, key: SyncTargetKey): boolean =>
  object.metadata?.labels?.[stateLabel(key)] === UPSYNC;

/** What a POST stores. */
export const upsyncCreate = (write: Omit<Submitted, 'stored'>): Upsynced => upsynced({ ...write, stored: undefined });

/**
 * What a PUT stores, of the object or of its status, that of the result of a PATCH too. It is bound to the stored object that was looked at:
 * nobody's object can become the upsyncer's in between.
 */
export function upsyncUpdate(write: Submitted): Upsynced {
  const { of, name, key, stored, submitted } = write;
  if (!stored || !isUpsynced(stored, key)) return { refusal: notFound(of, name) };
  const resourceVersion = stored.metadata?.resourceVersion ?? '';
  if ((submitted.metadata?.resourceVersion || resourceVersion) !== resourceVersion)
    return { refusal: conflict(of, name, 'the resource has been modified in the meantime') };
  return upsynced({ ...write, submitted: { ...submitted, metadata: { ...submitted.metadata, resourceVersion } } });
}

function upsynced(write: Submitted): Upsynced {
  const { of, name, key, stored, submitted } = write;
  if (!isUpsynced(submitted, key)) {
    const labels = JSON.stringify(submitted.metadata?.labels ?? {});
    return { refusal: badRequest(`label selector "${stateLabel(key)}=${UPSYNC}" does not match labels ${labels}`) };
  }
  const foreign = changedLabels(stored, submitted).find(label => label.startsWith(STATE_LABEL) && label !== stateLabel(key));
  if (foreign) return { refusal: forbiddenObject(of, name, `${foreign} is of another SyncTarget`) };
  return patched(submitted, key);
}

/** What a write sets, changes or removes. By another target's state label the object would be that one's to run. */
function changedLabels(stored: KubeObject | undefined, submitted: KubeObject): string[] {
  const before = stored?.metadata?.labels ?? {};
  const after = submitted.metadata?.labels ?? {};
  return Object.keys({ ...before, ...after }).filter(name => before[name] !== after[name]);
}

/** By these an object is told apart and protected; a patch that names them anywhere is refused, as kcp's own is. */
const PROTECTED = /\/(metadata|apiversion|kind)/i;

/** The object with the patch applied that it brings, and without it. */
function patched(submitted: KubeObject, key: SyncTargetKey): Upsynced {
  const name = upsyncDiffAnnotation(key);
  const refused = (why: string): Upsynced => ({ refusal: badRequest(`the annotation ${name} ${why}`) });
  try {
    const patch = annotationJson(name, submitted.metadata?.annotations?.[name]);
    if (patch === undefined) return { object: submitted };
    if (!isJsonPatch(patch)) return refused('is no JSON Patch');
    // As it is understood, not as it is written: `"\/metadat\u0061"` is the same path.
    if (PROTECTED.test(JSON.stringify(patch))) return refused('may not change metadata, apiVersion or kind');
    const object = applyJsonPatch(submitted, patch) as KubeObject;
    // A path may be empty, and mean all of it.
    if (object?.metadata !== submitted.metadata || object?.kind !== submitted.kind || object?.apiVersion !== submitted.apiVersion)
      return refused('may not change metadata, apiVersion or kind');
    return isTooDeep(object) ? refused('makes an object that is nested too deeply') : { object: withoutAnnotation(object, name) };
  } catch (error) {
    return refused(`cannot be applied: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const withoutAnnotation = (object: KubeObject, name: string): KubeObject => removeEntries('annotations', [name])(object);
