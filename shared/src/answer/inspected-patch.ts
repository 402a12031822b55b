import { conflict, type StatusError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Labels } from '../kube/selectors.ts';
import { headerValues } from '../listener/headers.ts';
import { withParameter } from '../target/target.ts';
import {
  type Attempt,
  admitted,
  alreadyExists,
  ask,
  type Checked,
  conclude,
  errorResponse,
  find,
  hidden,
  modified,
  readBody,
  refOf,
} from './checked.ts';
import { type CollectedResponse, parseObject } from './collect.ts';
import { conditionalApply } from './conditional-apply.ts';
import { patchedUid } from './patched-uid.ts';
import { unconvertible } from './unconvertible.ts';

export interface PatchKind {
  readonly contentType: string;
  readonly isApply: boolean;
  /** Makes the object if it is missing. */
  readonly mayMake: boolean;
}

interface Patch extends Checked, PatchKind {
  readonly body: Buffer;
}

/**
 * A patch whose result is inspected before it is stored. The result is computed by the shard, never here: the patch is first sent with
 * `dryRun=All`, what comes back is shown to the guard, and is then stored on the resourceVersion it was computed on, so that nothing can be
 * stored that was not inspected.
 */
export async function patchInspected(checked: Checked, kind: PatchKind): Promise<void> {
  const given = await readBody(checked);
  // One parser decides what is inspected and what is stored.
  const body = kind.isApply ? conditionalApply(given, refOf(checked).resource, {}) : given;
  const patch: Patch = { ...checked, ...kind, body };
  await conclude(checked, async (): Promise<Attempt> => {
    const found = await find(patch);
    if (found.is === 'hidden') throw patch.mayMake ? alreadyExists(patch) : hidden(patch);
    if (found.is === 'visible') return change(patch, found.object);
    if (found.is === 'missing' && patch.mayMake) return make(patch);
    return { response: found.response, retry: false };
  });
}

async function change(patch: Patch, stored: KubeObject): Promise<Attempt> {
  const uid = patchedUid(patch.contentType, patch.body);
  if (uid !== undefined && uid !== stored.metadata?.uid) throw anotherObject(patch, uid, stored);
  const computed = await compute(patch);
  if (computed.status >= 300) return { response: computed, retry: false };
  const proposed = parseObject(computed.body, patch.shard);
  if (proposed.metadata?.resourceVersion !== stored.metadata?.resourceVersion) {
    return { response: errorResponse(modified(patch)), retry: true };
  }
  const labels = admitted(patch, { operation: 'update', stored, proposed });
  const response = await (patch.mayMake ? applyTo(patch, stored, labels) : put(patch, withLabels(proposed, labels)));
  return { response: withWarnings(response, computed), retry: response.status === 409 };
}

/** The result of an apply that makes its object is sent as a POST: an object that another has made meanwhile stays as it is. */
async function make(patch: Patch): Promise<Attempt> {
  const refusal = await patch.guard.mayCreate?.();
  if (refusal) throw refusal;
  const computed = await compute(patch);
  if (computed.status >= 300) return { response: computed, retry: false };
  if (computed.status !== 201) return { response: errorResponse(modified(patch)), retry: true };
  const proposed = parseObject(computed.body, patch.shard);
  const labels = admitted(patch, { operation: 'create', proposed });
  const body = Buffer.from(JSON.stringify(withLabels(unborn(proposed), labels)));
  const response = await ask(patch, {
    method: 'POST',
    rawQuery: withoutForce(patch),
    body,
    parts: 1,
    accept: 'application/json',
  });
  if (response.status !== 201) return { response, retry: response.status === 409 };
  const owned = patch.rest.query.has('dryRun') ? response : await withApplied(patch, response, proposed);
  // Made, whatever request it was told last.
  return { response: withWarnings({ ...owned, status: 201 }, computed), retry: false };
}

/**
 * To the shard all fields of a POST are those of an update, with which the manager's next apply would conflict: they are given back to
 * the apply. Where the object has changed meanwhile, it stays as it is.
 */
async function withApplied(patch: Patch, made: CollectedResponse, { metadata }: KubeObject): Promise<CollectedResponse> {
  const object = parseObject(made.body, patch.shard);
  const response = await put(patch, { ...object, metadata: { ...object.metadata, managedFields: metadata?.managedFields } });
  return response.status === 200 ? response : made;
}

async function compute(patch: Patch): Promise<CollectedResponse> {
  const computed = await ask(patch, {
    method: 'PATCH',
    rawQuery: withParameter(patch.rest.rawQuery, 'dryRun', 'All'),
    body: patch.body,
    contentType: patch.contentType,
    accept: 'application/json',
  });
  const refusal = unconvertible(patch, computed);
  if (refusal) throw refusal;
  return computed;
}

const put = (patch: Patch, object: KubeObject): Promise<CollectedResponse> =>
  ask(patch, { method: 'PUT', rawQuery: withoutForce(patch), body: Buffer.from(JSON.stringify(object)) });

/**
 * The apply itself, on what it was computed on. Stored by a PUT, its fields would belong to an update of the same manager, too, and the
 * manager's next apply would conflict with it.
 */
function applyTo(patch: Patch, { metadata = {} }: KubeObject, labels: Labels): Promise<CollectedResponse> {
  const { uid = '', resourceVersion = '' } = metadata;
  const body = conditionalApply(patch.body, refOf(patch).resource, { uid, resourceVersion, labels });
  return ask(patch, { method: 'PATCH', rawQuery: patch.rest.rawQuery, body, contentType: patch.contentType });
}

/** `force` belongs to apply only; others are refused with it. */
const withoutForce = ({ rest }: Patch): string => withParameter(rest.rawQuery, 'force', undefined);

function withLabels(object: KubeObject, labels: Labels): KubeObject {
  if (Object.keys(labels).length === 0) return object;
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata?.labels, ...labels } } };
}

/** Without what a stored object has and a new one must not. */
function unborn(object: KubeObject): KubeObject {
  const {
    uid: _u,
    resourceVersion: _r,
    creationTimestamp: _c,
    generation: _g,
    selfLink: _s,
    ...metadata
  } = object.metadata ?? {};
  return { ...object, metadata };
}

/** What the shard says to the caller's patch, it does not say again to our PUT. */
function withWarnings(response: CollectedResponse, computed: CollectedResponse): CollectedResponse {
  const known = headerValues(response.headers, 'warning');
  const lost = headerValues(computed.headers, 'warning').filter(warning => !known.includes(warning));
  return { ...response, headers: [...response.headers, ...lost.flatMap(warning => ['warning', warning])] };
}

/** A shard takes a uid in a patch of the status for a change of metadata, and drops it. Clients mean it as a precondition. */
function anotherObject(patch: Patch, uid: string, stored: KubeObject): StatusError {
  const detail = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${stored.metadata?.uid ?? ''}`;
  return conflict(refOf(patch), patch.call.request.name, detail);
}
