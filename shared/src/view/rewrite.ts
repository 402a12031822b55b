import type { KubeObject } from '../kube/objects.ts';
import type { CollectionDefinition } from './collection.ts';
import type { Forward } from './view.ts';

/** What the body of a write is. */
export type BodyKind = 'object' | 'merge-patch' | 'json-patch' | 'strategic-merge-patch' | 'apply' | 'delete-options';

/**
 * One object, for which the shard is asked in other words than the caller's, and which the caller is shown in other words than the
 * shard's: as JSON, YAML, Table or metadata, as he likes. Or a deletecollection of some. Errors pass as they are.
 */
export interface Rewrite extends Pick<Forward, 'cluster' | 'shard' | 'identity' | 'customKind' | 'as' | 'because'> {
  readonly kind: 'rewrite';
  /** What the objects are, for the answers that are made here. */
  readonly of: CollectionDefinition;
  /**
   * What is sent in the place of the body that the caller sent, or a StatusError that refuses it; either may be promised. `body` is
   * parsed: a JSON patch is whatever is in it, all others are maps; numbers that a double does not hold are opaque objects. It must not
   * be changed. The same value: the caller's own bytes, of which a shard may read more than is seen here (what a text says twice), so
   * that this is no place to decide what may be stored. Of a delete without a body the options are those of its query; of
   * DeleteOptions in protobuf only the preconditions are seen, and can be changed.
   */
  readonly request?: (body: unknown, kind: BodyKind) => unknown;
  /** A body that cannot be read is refused here, in words of our own, and no shard is asked: what it says may depend on what it has. Absent: the shard says why. */
  readonly unreadable?: 'refuse';
  /** Each object of the shard's answer as the caller sees it. A deletecollection answers with what there was before. */
  readonly response?: (object: KubeObject) => KubeObject | Promise<KubeObject>;
  /**
   * Of a deletecollection: the names of what it deletes, each for itself and nothing else, whatever the caller's selectors and limit say.
   * Who may not delete the collection is refused by the shard, also where there are none. Absent: it is refused with 405.
   */
  readonly each?: readonly string[];
}
