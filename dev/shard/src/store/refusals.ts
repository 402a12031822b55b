import { conflict, type ResourceRef, StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ResourceDefinition } from './definition.ts';

export function alreadyExists({ group, resource }: ResourceRef, name: string): StatusError {
  const qualified = group === '' ? resource : `${resource}.${group}`;
  const details = { name, ...(group !== '' && { group }), kind: resource };
  return new StatusError('AlreadyExists', `${qualified} "${name}" already exists`, details);
}

const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

export const modified = (ref: ResourceRef, name: string): StatusError => conflict(ref, name, MODIFIED);

/** What a writer knows the object by. */
export interface Preconditions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/** Throws a StatusError 409 when the object is not the one that is meant. */
export function refuseUnlessMeant(
  ref: ResourceRef,
  name: string,
  object: KubeObject,
  { uid, resourceVersion }: Preconditions,
): void {
  const { uid: isUid = '', resourceVersion: isVersion = '' } = object.metadata ?? {};
  if (uid !== undefined && uid !== isUid) {
    throw conflict(ref, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${isUid}`);
  }
  if (resourceVersion !== undefined && resourceVersion !== isVersion) {
    const versions = `ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${isVersion}`;
    throw conflict(ref, name, `Precondition failed: ${versions}`);
  }
}

export interface FieldCause {
  readonly reason:
    | 'FieldValueRequired'
    | 'FieldValueForbidden'
    | 'FieldValueInvalid'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueTypeInvalid';
  readonly field: string;
  readonly message: string;
}

/** 422 with causes that are printed as they are: `Required value: …`, `Forbidden: …`. */
export function invalidFields(
  { group, kind }: { group: string; kind: string },
  name: string,
  causes: readonly FieldCause[],
): StatusError {
  const rendered = causes.map(({ field, message }) => `${field}: ${message}`);
  const list = rendered.length === 1 ? rendered[0] : `[${rendered.join(', ')}]`;
  const qualified = group === '' ? kind : `${kind}.${group}`;
  const details = { name, ...(group !== '' && { group }), kind, causes };
  return new StatusError('Invalid', `${qualified} "${name}" is invalid: ${list}`, details);
}

/** Once an object is being deleted, nobody may hold it any longer than those who already do. */
export function refuseNewFinalizers(definition: ResourceDefinition, name: string, previous: KubeObject, next: KubeObject): void {
  if (previous.metadata?.deletionTimestamp === undefined) return;
  const held = previous.metadata.finalizers ?? [];
  const added = (next.metadata?.finalizers ?? []).filter(finalizer => !held.includes(finalizer));
  if (added.length === 0) return;
  const found = `[]string{${added.map(finalizer => JSON.stringify(finalizer)).join(', ')}}`;
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${found}`;
  throw invalidFields(definition, name, [{ reason: 'FieldValueForbidden', field: 'metadata.finalizers', message }]);
}
