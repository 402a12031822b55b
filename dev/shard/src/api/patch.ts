import { badRequest, notFound, unsupportedMediaType } from '@kcp-vw/shared/kube/errors.ts';
import { applyJsonPatch, isJsonPatch, PatchFailure } from '@kcp-vw/shared/kube/json-patch.ts';
import { mergePatch } from '@kcp-vw/shared/kube/merge-patch.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { apply } from './apply.ts';
import { contentType, parseJson, readText, typed } from './body.ts';
import type { ResourceCall } from './call.ts';
import { inVersion } from './collection.ts';
import { commitUpdate, meant } from './commit.ts';
import { unknownFieldWarnings } from './field-validation.ts';
import { isObject, strategicMergePatch } from './merge.ts';
import { isDryRun, refusePatchOptions } from './options.ts';
import { rejectedPatch } from './refusals.ts';
import { representationOf } from './representation.ts';
import { sendObject } from './write.ts';

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const STRATEGIC_MERGE_PATCH = 'application/strategic-merge-patch+json';
const APPLY_PATCH = 'application/apply-patch+yaml';

/** By media type: what a patch makes of an object. Throws a StatusError 400 or 422. */
const PATCHES: Readonly<Record<string, (object: KubeObject, text: string) => unknown>> = {
  [JSON_PATCH](object, text) {
    const operations = decoded(text);
    if (!isJsonPatch(operations))
      throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type jsonpatch.Patch');
    try {
      return applyJsonPatch(object, operations);
    } catch (error) {
      if (error instanceof PatchFailure) throw rejectedPatch();
      throw error;
    }
  },
  [MERGE_PATCH]: (object, text) => mergePatch(object, objectIn(text)),
  [STRATEGIC_MERGE_PATCH]: (object, text) => strategicMergePatch(object, objectIn(text)),
};

/** Structured merging needs Go types, which custom resources do not have. */
const typesOf = (custom: boolean): readonly string[] =>
  custom ? [JSON_PATCH, MERGE_PATCH, APPLY_PATCH] : [JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_PATCH];

export async function patch(call: ResourceCall): Promise<void> {
  const { exchange, definition, rest } = call;
  const type = contentType(exchange);
  const types = typesOf(definition.custom);
  if (!types.includes(type)) throw unsupportedMediaType(types);
  const representation = representationOf(call, 'get');
  refusePatchOptions(rest.query, type === APPLY_PATCH);
  const dryRun = isDryRun('PatchOptions', rest.query.getAll('dryRun'));
  const text = await readText(exchange);
  const stored = call.store.get(call.stored, call.cluster, call.request.name, call.namespace);
  if (type === APPLY_PATCH) return apply(call, representation, text, stored, dryRun);
  if (stored === undefined) throw notFound(definition, call.request.name);
  const patched = PATCHES[type]?.(inVersion(call.definition, stored, call.apiVersion), text);
  if (!isObject(patched)) throw rejectedPatch();
  const object = typed(call, patched, text);
  const warnings = unknownFieldWarnings(call, object);
  await sendObject(call, representation, 200, commitUpdate(call, meant(call, object, stored), stored, dryRun), warnings);
}

function decoded(text: string): unknown {
  const parsed = parseJson(text);
  if ('error' in parsed) throw badRequest(`error decoding patch: ${parsed.error}`);
  return parsed.value;
}

function objectIn(text: string): Record<string, unknown> {
  const value = decoded(text);
  if (!isObject(value))
    throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}');
  return value;
}
