import type { StatusError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';

/**
 * A write through a transformed view, as its plan is asked about it. That it is about the object in its path (apiVersion, kind, name,
 * namespace) has been checked; its uid is, when the plan does not refuse. Its resourceVersion is the plan's to compare.
 */
export interface ViewWrite {
  /** A patch is an update with what it makes of the view; of no version in particular it has that of the view. */
  readonly verb: 'create' | 'update';
  /** Empty or `status`; of a create empty. */
  readonly subresource: string;
  /**
   * The main object as the shard has it, read for this write, whether or not the view shows it; undefined: one is to be made. Of what is
   * missing nothing is asked: the shard's 404 is the answer.
   */
  readonly stored: KubeObject | undefined;
  /** What the caller wants it to be, as the view shows it, in the namespace of the path. Numbers that a double does not hold are opaque objects. */
  readonly submitted: KubeObject;
}

/** One request to the shard: the POST of a create, which is its only one, otherwise a PUT of the object or of its status. */
export interface WriteStep {
  readonly subresource: '' | 'status';
  /** What is sent, made of the object as the request before has answered it; of the stored one for the first (of none for a create). */
  readonly object: (current: KubeObject) => KubeObject;
}

/**
 * `steps`: in this order; none where all is already as it is asked for, and the answer is made of the stored object. The first error
 * ends them and is the answer. `answer`: what the caller sees of the last step's answer; a StatusError is thrown.
 */
export type ViewWritePlan =
  | { readonly refusal: StatusError }
  | { readonly steps: readonly WriteStep[]; readonly answer: (final: KubeObject) => KubeObject };
