import { badRequest, type ResourceRef, StatusError, unsupportedMediaType } from '../kube/errors.ts';
import { parseExact } from '../kube/json-exact.ts';
import { applyJsonPatch, isJsonPatch, PatchFailure } from '../kube/json-patch.ts';
import { JSON_MEDIA_TYPE } from '../kube/media-type.ts';
import { isFields, mergePatch } from '../kube/merge-patch.ts';
import type { KubeObject } from '../kube/objects.ts';
import { decodeObjectBody } from '../kube/request-body.ts';
import { parseBodyText } from '../kube/request-body-text.ts';
import { strategicMergePatch } from '../kube/strategic-merge-patch.ts';
import { type MapSchema, strategicSchema } from '../kube/strategic-merge-patch-schemas.ts';

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const STRATEGIC_MERGE_PATCH = 'application/strategic-merge-patch+json';

/** The resource that is patched, and whether it is a custom one. */
export type Patched = ResourceRef & { readonly version: string; readonly customKind?: string };

/**
 * What a patch makes of an object. Structured merging needs Go types: strategic patches are taken of built-in resources whose types are
 * known here, and apply of none. Throws a StatusError: 415, or 400 for a patch that cannot be read; the function throws 400 or 422 where it
 * cannot be applied.
 */
export function patchOf(contentType: string | undefined, body: Buffer, patched: Patched): (object: KubeObject) => KubeObject {
  const schema = patched.customKind === undefined ? strategicSchema(patched) : undefined;
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const accepted = [JSON_PATCH, MERGE_PATCH, ...(schema ? [STRATEGIC_MERGE_PATCH] : [])];
  if (!accepted.includes(type)) throw unsupportedMediaType(accepted);
  const apply = type === JSON_PATCH ? jsonPatch(body) : mapPatch(body, type === STRATEGIC_MERGE_PATCH ? schema : undefined);
  return object => objectOf(applied(apply, object), patched.customKind ?? patched.resource);
}

function applied(apply: (object: KubeObject) => unknown, object: KubeObject): unknown {
  try {
    return apply(object);
  } catch (error) {
    // Too deep to be merged, copied or compared.
    throw error instanceof RangeError ? rejected() : error;
  }
}

function jsonPatch(body: Buffer): (object: KubeObject) => unknown {
  const operations = decoded(body);
  if (!isJsonPatch(operations))
    throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type jsonpatch.Patch');
  return object => {
    try {
      return applyJsonPatch(object, operations);
    } catch (error) {
      throw error instanceof PatchFailure ? rejected() : error;
    }
  };
}

function decoded(body: Buffer): unknown {
  try {
    return parseExact(body.toString());
  } catch (error) {
    if (error instanceof RangeError) throw badRequest('error decoding patch: exceeded max depth');
    if (error instanceof SyntaxError) throw badRequest(`error decoding patch: ${error.message}`);
    throw error;
  }
}

function mapPatch(body: Buffer, schema: MapSchema | undefined): (object: KubeObject) => unknown {
  const parsed = parseBodyText(JSON_MEDIA_TYPE, body);
  if ('error' in parsed) throw badRequest(`error decoding patch: ${parsed.error}`);
  const { object: patch } = parsed;
  return schema ? object => strategicMergePatch(object, patch, schema) : object => mergePatch(object, patch);
}

/** What a patch has made is read like what an update sends: of its metadata others rely on the types. */
function objectOf(patched: unknown, kind: string): KubeObject {
  if (!isFields(patched)) throw rejected();
  try {
    const { object } = decodeObjectBody(JSON_MEDIA_TYPE, Buffer.from(JSON.stringify(patched)), {
      accepted: [JSON_MEDIA_TYPE],
      kind,
    });
    return object;
  } catch (error) {
    // Too deep to be printed.
    throw error instanceof RangeError ? rejected() : error;
  }
}

/** As `errors.NewGenericServerResponse` of k8s.io/apimachinery says it of a patch that can be read and not applied. */
const rejected = (): StatusError =>
  new StatusError('Invalid', 'the server rejected our request due to an error in our request', {});
