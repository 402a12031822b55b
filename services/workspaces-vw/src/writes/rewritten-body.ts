import type { BodyKind } from '@kcp-vw/shared/view/rewrite.ts';
import type { Snapshot } from '../index/snapshot.ts';
import { LAST_APPLIED, OWNER_ANNOTATION } from '../index/workspace-object.ts';
import { LONG_GONE, upstreamVersionOf } from './presented-version.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * What a client of the view sends about a workspace, as its shard has to get it: with the shard's resourceVersion in the place of the view's, and
 * with the record of the owner, which a round trip through the view would lose. What a client says of that record does not count. Of a body that
 * is not of its kind nothing is changed: the shard refuses it.
 */
export function rewrittenBody(body: unknown, kind: BodyKind, snapshot: Snapshot, head: bigint): unknown {
  const version = (given: unknown): unknown => (typeof given === 'string' ? upstreamVersionOf(given, snapshot, head) : given);
  switch (kind) {
    case 'object':
      return withMetadata(body, metadata => withOwner(withVersion(metadata, version), snapshot));
    case 'apply':
      return withMetadata(body, metadata => withoutOwner(withVersion(metadata, version)));
    case 'merge-patch':
    case 'strategic-merge-patch':
      return withMetadata(body, metadata => merging(withVersion(metadata, version), snapshot));
    case 'delete-options':
      return isFields(body) && isFields(body.preconditions)
        ? { ...body, preconditions: withVersion(body.preconditions, version) }
        : body;
    case 'json-patch':
      return Array.isArray(body) ? body.flatMap(operation => patching(operation, version, snapshot)) : body;
  }
}

/** What is applied, so that it conflicts with whatever is there. */
export function conflictingBody(body: unknown): unknown {
  if (!isFields(body)) return body;
  return { ...body, metadata: { ...(isFields(body.metadata) && body.metadata), resourceVersion: LONG_GONE } };
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A new value in any case, so that what is sent is what was read here, and not bytes in which a shard might read something else. */
function withMetadata(body: unknown, change: (metadata: Fields) => Fields): unknown {
  if (!isFields(body)) return body;
  return isFields(body.metadata) ? { ...body, metadata: change(body.metadata) } : { ...body };
}

const withVersion = (fields: Fields, version: (given: unknown) => unknown): Fields =>
  'resourceVersion' in fields ? { ...fields, resourceVersion: version(fields.resourceVersion) } : fields;

/** Metadata as a whole: with the owner where the stored object has one, else without. */
function withOwner(metadata: Fields, { ownerAnnotation }: Snapshot): Fields {
  if (ownerAnnotation === undefined) return withoutOwner(metadata);
  const annotations = isFields(metadata.annotations) ? metadata.annotations : {};
  return { ...metadata, annotations: { ...annotations, [OWNER_ANNOTATION]: ownerAnnotation } };
}

function withoutOwner(metadata: Fields): Fields {
  if (!isFields(metadata.annotations) || !(OWNER_ANNOTATION in metadata.annotations)) return metadata;
  const { [OWNER_ANNOTATION]: _, ...annotations } = metadata.annotations;
  return { ...metadata, annotations };
}

/** `annotations: null` takes all away, and would take the owner: those that the client can see are named instead. */
function merging(metadata: Fields, { object }: Snapshot): Fields {
  if (metadata.annotations !== null) return withoutOwner(metadata);
  const seen = Object.keys(object.metadata?.annotations ?? {});
  return { ...metadata, annotations: Object.fromEntries(seen.map(name => [name, null])) };
}

const ANNOTATIONS = '/metadata/annotations';
const pointerTo = (annotation: string): string => `${ANNOTATIONS}/${annotation.replaceAll('~', '~0').replaceAll('/', '~1')}`;
const OWNER = pointerTo(OWNER_ANNOTATION);
const APPLIED = pointerTo(LAST_APPLIED);

/** One operation of RFC 6902, as one, as two or as none. */
function patching(operation: unknown, version: (given: unknown) => unknown, snapshot: Snapshot): unknown {
  if (!isFields(operation)) return operation;
  const { op, path, from, value } = operation;
  const owner = snapshot.ownerAnnotation;
  // A copy would show it under another name.
  if (typeof from === 'string' && [...AROUND_OWNER, OWNER].includes(pointerOf(from))) return NEVER;
  const isHidden = snapshot.object.metadata?.annotations?.[LAST_APPLIED] === undefined;
  if (isHidden && [from, op === 'test' ? path : undefined].some(one => typeof one === 'string' && pointerOf(one) === APPLIED)) {
    return NEVER;
  }
  switch (typeof path === 'string' ? pointerOf(path) : undefined) {
    case '/metadata/resourceVersion':
      return 'value' in operation ? { ...operation, value: version(value) } : operation;
    case '':
      return { ...operation, value: withMetadata(value, metadata => withOwner(withVersion(metadata, version), snapshot)) };
    case '/metadata':
      return isFields(value) ? { ...operation, value: withOwner(withVersion(value, version), snapshot) } : operation;
    case ANNOTATIONS:
      if (owner === undefined) return operation;
      if (op === 'remove') return { op: 'replace', path, value: { [OWNER_ANNOTATION]: owner } };
      if (op === 'copy' || op === 'move') return [operation, { op: 'add', path: OWNER, value: owner }];
      return isFields(value) ? { ...operation, value: { ...value, [OWNER_ANNOTATION]: owner } } : operation;
    case OWNER:
      return op === 'add' ? [] : NEVER;
    default:
      return operation;
  }
}

/** What Kubernetes' library for JSON patches reads in it: whatever stands before the first slash does not count there. */
const pointerOf = (text: string): string => (text.includes('/') ? text.slice(text.indexOf('/')) : text);

const AROUND_OWNER: readonly string[] = ['', '/metadata', ANNOTATIONS];

/** Fails, as whatever is done to an annotation that is not there: one with a list for its value never is. */
const NEVER = Object.freeze({ op: 'test', path: OWNER, value: [] });
