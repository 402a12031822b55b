import type { KubeObject, ObjectMeta } from '@kcp-vw/shared/kube/objects.ts';
import { type FieldPath, withField } from './field-path.ts';
import { type SyncTargetKey, viewDiffAnnotation } from './names.ts';
import { encodeViewDiff, type ViewDiff } from './view-diff.ts';

/** A change of an upstream object, of nothing else in it. It returns the same object where there is nothing to change. */
export type Edit = (object: KubeObject) => KubeObject;

export const inOrder =
  (edits: readonly Edit[]): Edit =>
  object =>
    edits.reduce((changed, edit) => edit(changed), object);

export const setField =
  (path: FieldPath, value: unknown): Edit =>
  object =>
    withField(object, path, value);

/** By key, what the targets' view-diffs are to be. */
export const setViewDiffs = (diffs: ReadonlyMap<SyncTargetKey, ViewDiff>): Edit =>
  inOrder([...diffs].map(([key, diff]) => setEntry('annotations', viewDiffAnnotation(key), encodeViewDiff(diff))));

const setEntry =
  (of: 'labels' | 'annotations', name: string, value: string): Edit =>
  object => {
    const entries = object.metadata?.[of] ?? {};
    return entries[name] === value ? object : withMetadata(object, { [of]: { ...entries, [name]: value } });
  };

export const removeEntries =
  (of: 'labels' | 'annotations', names: readonly string[]): Edit =>
  object => {
    const entries = object.metadata?.[of] ?? {};
    if (!names.some(name => Object.hasOwn(entries, name))) return object;
    return withMetadata(object, { [of]: Object.fromEntries(Object.entries(entries).filter(([name]) => !names.includes(name))) });
  };

export const addFinalizer =
  (name: string): Edit =>
  object => {
    const finalizers = object.metadata?.finalizers ?? [];
    return finalizers.includes(name) ? object : withMetadata(object, { finalizers: [...new Set([...finalizers, name])].sort() });
  };

export const removeFinalizer =
  (name: string): Edit =>
  object => {
    const finalizers = object.metadata?.finalizers ?? [];
    return finalizers.includes(name) ? withMetadata(object, { finalizers: finalizers.filter(one => one !== name) }) : object;
  };

const withMetadata = (object: KubeObject, changed: Partial<ObjectMeta>): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, ...changed },
});
