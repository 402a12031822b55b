import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';

/** Labels or annotations to set; those that are null are taken away. */
export type MetadataChange = Readonly<Record<string, string | null>>;

/** The change of an object; parts that are absent or empty change nothing. */
export interface Change {
  readonly labels?: MetadataChange;
  readonly annotations?: MetadataChange;
  /** All that are left: a merge patch cannot name one. */
  readonly finalizers?: readonly string[];
  readonly status?: Readonly<Record<string, unknown>>;
}

/** An RFC 7386 patch that an API server refuses with 409 if the object is another one by now, or has changed. */
export interface MergePatch {
  readonly metadata: {
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: MetadataChange;
    readonly annotations?: MetadataChange;
    readonly finalizers?: readonly string[];
  };
  readonly status?: Readonly<Record<string, unknown>>;
}

/** The change as a patch of the object as it was read; undefined if nothing changes. */
export const patchOf = ({ metadata }: KubeObject, change: Change): MergePatch | undefined =>
  patchWith(change, {
    ...(metadata?.uid !== undefined && { uid: metadata.uid }),
    ...(metadata?.resourceVersion !== undefined && { resourceVersion: metadata.resourceVersion }),
  });

/** For fields that have one writer: other changes of the object do not matter, only that it is the same one. */
export const patchOfAnyVersion = ({ metadata }: KubeObject, change: Change): MergePatch | undefined =>
  patchWith(change, metadata?.uid === undefined ? {} : { uid: metadata.uid });

function patchWith(
  { labels, annotations, finalizers, status }: Change,
  preconditions: MergePatch['metadata'],
): MergePatch | undefined {
  const metadata = {
    ...(isFilled(labels) && { labels }),
    ...(isFilled(annotations) && { annotations }),
    ...(finalizers && { finalizers }),
  };
  if (!isFilled(metadata) && !isFilled(status)) return undefined;
  return { metadata: { ...preconditions, ...metadata }, ...(isFilled(status) && { status }) };
}

const isFilled = (part: object | undefined): boolean => part !== undefined && Object.keys(part).length > 0;
