import { badRequest, invalid, notFound } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { storedApiVersion, type Write } from '../store/definition.ts';
import { NAMESPACES } from '../store/kubernetes-resources.ts';
import { generatedName } from '../store/metadata.ts';
import { invalidFields, modified } from '../store/refusals.ts';
import type { ResourceCall } from './call.ts';
import { inVersion } from './collection.ts';
import { type ManagedFields, managedAfterUpdate } from './managed-fields.ts';
import { mergeSchemaOf } from './merge-schema.ts';
import { refuseInvalidMetadata } from './names.ts';
import { namespaceTerminating, resourceTerminating } from './refusals.ts';

/** Stores a new object, as its resource's rules make it, with the managers of what an apply has given it. */
export function commitCreate(
  call: ResourceCall,
  given: KubeObject,
  dryRun: boolean,
  managedFields: readonly ManagedFields[] = [],
): KubeObject {
  const { definition, stored, cluster, store, user } = call;
  const object = asStored(call, placed(call, given));
  if (definition.isTerminating === true) throw resourceTerminating(definition, object.metadata?.name ?? '');
  refuseInvalidMetadata(definition, object);
  if (definition.namespaced) refuseNamespace(call, object);
  // The status is the server's: admission may begin one, a client may not.
  const { status: _status, ...withoutStatus } = object;
  const proposed = definition.statusSubresource ? withoutStatus : object;
  const write: Write = { verb: 'create', subresource: '', cluster, user, dryRun };
  const admitted = admit(call, proposed, write);
  definition.validate?.(admitted, undefined);
  return store.create(stored, cluster, managed(admitted, managedFields), { dryRun, keepStatus: true });
}

const managed = (object: KubeObject, managedFields: readonly ManagedFields[]): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, managedFields },
});

/** What is converted is looked at in the version in which it is stored; all else in the version of the caller. */
function asStored({ definition, stored }: ResourceCall, object: KubeObject): KubeObject {
  return definition.convert === undefined ? object : inVersion(definition, object, storedApiVersion(stored));
}

function admit({ definition, settings }: ResourceCall, proposed: KubeObject, write: Write): KubeObject {
  const admitted = definition.admit?.(proposed, write) ?? proposed;
  return settings.admit?.(definition, admitted, write) ?? admitted;
}

/** With its name and namespace, from the path where the body leaves them out. */
function placed({ definition, namespace }: ResourceCall, object: KubeObject): KubeObject {
  const { name, generateName, namespace: given = '' } = object.metadata ?? {};
  if (given !== '' && given !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (!name && !generateName) {
    const message = 'Required value: name or generateName is required';
    throw invalidFields(definition, '', [{ reason: 'FieldValueRequired', field: 'metadata.name', message }]);
  }
  const { namespace: _namespace, ...metadata } = object.metadata ?? {};
  return {
    ...object,
    metadata: { ...metadata, name: name || generatedName(String(generateName)), ...(namespace !== '' && { namespace }) },
  };
}

function refuseNamespace({ definition, cluster, namespace, store }: ResourceCall, object: KubeObject): void {
  const found = store.get(NAMESPACES, cluster, namespace);
  if (found === undefined) throw notFound(NAMESPACES, namespace);
  if (found.metadata?.deletionTimestamp !== undefined) {
    throw namespaceTerminating(definition, object.metadata?.name ?? '', namespace);
  }
}

/** Stores an object in place of `previous`: all of it but the status, or the status alone. An apply has found out who manages what then. */
export function commitUpdate(
  call: ResourceCall,
  given: KubeObject,
  previous: KubeObject,
  dryRun: boolean,
  managedFields?: readonly ManagedFields[],
): KubeObject {
  const { definition, stored, cluster, store, user, request } = call;
  refuseOtherPlace(call, given);
  const { resourceVersion } = given.metadata ?? {};
  if (definition.custom && !resourceVersion) throw versionRequired(call);
  if (resourceVersion && resourceVersion !== previous.metadata?.resourceVersion) throw modified(definition, request.name);
  const subresource = request.subresource === 'status' ? 'status' : '';
  const proposed =
    subresource === 'status'
      ? statusOnly(call, asStored(call, given), previous)
      : allButStatus(call, asStored(call, given), previous);
  const write: Write = { verb: 'update', subresource, cluster, user, previous, dryRun };
  const admitted = admit(call, proposed, write);
  if (subresource === '') refuseInvalidMetadata(definition, admitted);
  definition.validate?.(admitted, previous);
  const schema = mergeSchemaOf(definition, call.apiVersion);
  const next = managed(admitted, managedFields ?? managedAfterUpdate(schema, { given, previous, next: admitted }));
  return subresource === 'status'
    ? store.updateStatus(stored, cluster, next, { dryRun })
    : store.update(stored, cluster, next, { dryRun });
}

/**
 * A patch of the status that speaks of the uid changes metadata, which the status endpoint drops; anywhere else the uid cannot change.
 */
export function meant({ definition, request }: ResourceCall, patched: KubeObject, stored: KubeObject): KubeObject {
  const uid = stored.metadata?.uid ?? '';
  if (request.subresource !== 'status' && patched.metadata?.uid !== uid) {
    const cause = { field: 'metadata.uid', value: patched.metadata?.uid ?? '', detail: 'field is immutable' };
    throw invalid(definition, request.name, [cause]);
  }
  return { ...patched, metadata: { ...patched.metadata, uid } };
}

function statusOnly({ definition, namespace }: ResourceCall, given: KubeObject, previous: KubeObject): KubeObject {
  const { status: _status, ...rest } = previous;
  const { uid, resourceVersion } = given.metadata ?? {};
  const metadata = definition.statusWithMetadata
    ? { ...given.metadata, ...(namespace !== '' && { namespace }) }
    : { ...previous.metadata, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
  return {
    ...rest,
    ...(given.apiVersion && { apiVersion: given.apiVersion }),
    metadata,
    ...(given.status !== undefined && { status: given.status }),
  };
}

function allButStatus({ definition, namespace }: ResourceCall, given: KubeObject, previous: KubeObject): KubeObject {
  const { status, ...rest } = given;
  const kept = definition.statusSubresource ? previous.status : status;
  const metadata = { ...given.metadata, ...(namespace !== '' && { namespace }) };
  return { ...rest, metadata, ...(kept !== undefined && { status: kept }) };
}

/** The object in the body must be the one that the path names. */
function refuseOtherPlace({ request, namespace }: ResourceCall, { metadata = {} }: KubeObject): void {
  if (!metadata.name) {
    throw badRequest(`the name of the object (${request.name} based on URL) was undeterminable: name must be provided`);
  }
  if (metadata.name !== request.name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${request.name})`);
  }
  if (metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest(
      `the namespace of the object (${metadata.namespace}) does not match the namespace on the request (${namespace})`,
    );
  }
}

/** Without a version a write could replace what its writer has never seen; only Kubernetes' own types allow that. */
function versionRequired({ definition, request }: ResourceCall): Error {
  const { group, resource } = definition;
  const detail = 'must be specified for an update';
  return invalid({ group, kind: resource }, request.name, [{ field: 'metadata.resourceVersion', value: 0, detail }]);
}
