import { badRequest, type Status, StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { ResourceDefinition } from '../store/definition.ts';

/** The API server's answer to a path without a route; clients make a Status of it. */
export const PAGE_NOT_FOUND = '404 page not found\n';

export const accepted = (definition: ResourceDefinition): readonly string[] =>
  definition.custom
    ? ['application/json', 'application/yaml']
    : ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

/** What a body must be decoded to and cannot. */
export const unrecognized = (kind: string, why: string): StatusError =>
  badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why}`);

/** A patch that parses and cannot be applied. */
export const rejectedPatch = (): StatusError =>
  new StatusError('Invalid', 'the server rejected our request due to an error in our request', {});

export const namespaceTerminating = (definition: ResourceDefinition, name: string, namespace: string): StatusError => {
  const qualified = definition.group === '' ? definition.resource : `${definition.resource}.${definition.group}`;
  const message = `${qualified} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`;
  return new StatusError('Forbidden', message, {
    name,
    ...(definition.group !== '' && { group: definition.group }),
    kind: definition.resource,
    causes: [
      { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' },
    ],
  });
};

export function resourceTerminating({ group, resource }: ResourceDefinition, name: string): StatusError {
  const why = 'create not allowed while custom resource definition is terminating';
  return new StatusError('Forbidden', `${resource}.${group} "${name}" is forbidden: ${why}`, { name, group, kind: resource });
}

/** The Status of a deletion that is done; it has no code. */
export function deleted({ group, resource }: ResourceDefinition, name: string, uid: string): Omit<Status, 'message' | 'code'> {
  const details = { name, ...(group !== '' && { group }), kind: resource, uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}
