import type { StatusError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';

/** A write through a transformed view, as its plan is asked about it. */
export interface ViewWrite {
  /** A patch is an update with what it makes of the view. */
  readonly verb: 'create' | 'update';
  readonly subresource: string;
  /** The object as the shard has it, read for this write; undefined: there is none, or one is to be made. */
  readonly stored: KubeObject | undefined;
  /** What the caller wants it to be, as the view shows it. Numbers that a double does not hold are opaque objects. */
  readonly submitted: KubeObject;
}

/** One request to the shard: a POST for a create, otherwise a PUT of the object or of its status. */
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
