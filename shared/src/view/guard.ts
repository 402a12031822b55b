import type { StatusError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Labels } from '../kube/selectors.ts';

/** Conditions on one object that are checked here, before the shard does what is asked. All are optional. */
export interface Guard {
  /** False: for the caller the stored object does not exist, whatever is asked of it. Reads nothing but metadata. */
  readonly visible?: (object: KubeObject) => boolean;
  /** Asked when a server-side apply would create its object; an error refuses that. */
  readonly mayCreate?: () => Promise<StatusError | undefined>;
  /** Sees the metadata of what a write would store, and of what is stored. Returns an error that refuses it, or what to do to it. */
  readonly admit?: (write: AdmittedWrite) => StatusError | Admitted | undefined;
}

export interface AdmittedWrite {
  readonly operation: 'create' | 'update' | 'delete';
  /** Absent for a create. */
  readonly stored?: KubeObject;
  /** Absent for a delete. Of a body in protobuf its metadata. */
  readonly proposed?: KubeObject;
}

export interface Admitted {
  /** Put on the object beside its own. */
  readonly labels: Labels;
}
