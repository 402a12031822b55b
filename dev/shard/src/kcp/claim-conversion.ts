/** The parts that the conversions of APIExports and APIBindings between v1alpha1 and v1alpha2 share. */
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ClaimSelector } from './api-objects.ts';

/** A claim of either version: v1alpha1 knows `all` and `resourceSelector`, v1alpha2 verbs and selectors. */
export interface AnyClaim {
  readonly group?: string;
  readonly resource: string;
  readonly identityHash?: string;
  readonly all?: boolean;
  readonly resourceSelector?: readonly object[];
  readonly verbs?: readonly string[];
  readonly defaultSelector?: ClaimSelector;
  readonly selector?: ClaimSelector;
  readonly state?: string;
}

/** A claim as Go writes it into an annotation: its fields in their order, without what is empty. */
export function written(claim: AnyClaim): AnyClaim {
  const { group, resource, identityHash, all, resourceSelector, verbs, defaultSelector, selector, state } = claim;
  return {
    ...(group && { group }),
    resource,
    ...(all && { all }),
    ...(verbs && { verbs }),
    ...(identityHash && { identityHash }),
    ...(defaultSelector && { defaultSelector }),
    ...(resourceSelector && { resourceSelector }),
    ...(selector && { selector }),
    ...(state !== undefined && { state }),
  };
}

/** What both versions know of a claim. */
export const common = ({ group, resource, identityHash }: AnyClaim): AnyClaim => ({
  ...(group && { group }),
  resource,
  ...(identityHash && { identityHash }),
});

/** v1alpha1 has no way to say anything but every verb and everything. */
export const isForAll = ({ verbs = [], selector }: AnyClaim): boolean =>
  verbs.length === 1 && verbs[0] === '*' && (selector === undefined || selector.matchAll === true);

/** The claim among those that is about the same. */
export const sameIn = (claims: readonly AnyClaim[], claim: AnyClaim): AnyClaim | undefined =>
  claims.find(
    one =>
      (one.group ?? '') === (claim.group ?? '') &&
      one.resource === claim.resource &&
      (one.identityHash ?? '') === (claim.identityHash ?? ''),
  );

/** v1alpha2 writes out what is empty. */
export const inFull = (claim: AnyClaim): AnyClaim => ({
  ...claim,
  group: claim.group ?? '',
  identityHash: claim.identityHash ?? '',
});

/** The list that an annotation of the object keeps; empty where it has none, or nothing that can be read. */
export function kept<T>(object: KubeObject, annotation: string): readonly T[] {
  const text = object.metadata?.annotations?.[annotation];
  if (text === undefined) return [];
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? (list as T[]) : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/** The object's metadata without some annotations, and with those that keep something. */
export function annotated(
  { metadata = {} }: KubeObject,
  without: readonly string[],
  lists: Readonly<Record<string, readonly unknown[]>>,
): NonNullable<KubeObject['metadata']> {
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => !without.includes(key));
  const added = Object.entries(lists).flatMap(([key, list]) => (list.length === 0 ? [] : [[key, JSON.stringify(list)] as const]));
  return { ...metadata, annotations: Object.fromEntries([...annotations, ...added]) };
}
