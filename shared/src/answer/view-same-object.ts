import { badRequest, conflict } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { refOf } from './checked.ts';
import type { Execution } from './execution.ts';

/** What an object sent to a path must be. */
export interface Expected {
  readonly apiVersion: string | undefined;
  readonly kind: string | undefined;
  /** Absent: any. */
  readonly name?: string;
  /** An object that names none is meant to be in that of the path. */
  readonly namespace?: string;
}

/** Throws a StatusError 400 for a body that is not about the object it is sent to, in the words of API servers. */
export function requireSameObject(expected: Expected, { apiVersion = '', kind = '', metadata = {} }: KubeObject): void {
  if (apiVersion !== (expected.apiVersion ?? '')) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected.apiVersion})`,
    );
  }
  if (kind !== (expected.kind ?? ''))
    throw badRequest(`the kind in the data (${kind}) does not match the expected kind (${expected.kind})`);
  const { name = '', namespace } = metadata;
  if (expected.name !== undefined && name !== expected.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${expected.name})`);
  }
  if (expected.namespace !== undefined && namespace && namespace !== expected.namespace) {
    throw badRequest(
      `the namespace of the object (${namespace}) does not match the namespace on the request (${expected.namespace})`,
    );
  }
}

/** Throws a StatusError 409 for a body that is about an object of the same name: its uid is a precondition. */
export function requireSameUid(execution: Execution, stored: KubeObject, { metadata }: KubeObject): void {
  const [given, uid = ''] = [metadata?.uid, stored.metadata?.uid];
  if (!given || given === uid) return;
  const detail = `Precondition failed: UID in precondition: ${given}, UID in object meta: ${uid}`;
  throw conflict(refOf(execution), execution.call.request.name, detail);
}
