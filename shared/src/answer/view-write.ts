import { badRequest, methodNotAllowed } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { CUSTOM_BODY_TYPES, decodeObjectBody } from '../kube/request-body.ts';
import { hasEncodedSlash } from '../target/target.ts';
import type { Transform } from '../view/view.ts';
import { contentTypeOf, readBody, refOf } from './checked.ts';
import { sendCollected } from './collect.ts';
import type { Execution } from './execution.ts';
import { namespaceOf } from './serve-options.ts';
import { patchView } from './view-patch.ts';
import { printerOf } from './view-print.ts';
import { requireSameObject, requireSameUid } from './view-same-object.ts';
import { carryOut, readStored, type ViewWriting } from './view-steps.ts';

/** The verbs of what `Transform.write` is asked about. */
export const isViewWrite = (verb: string): boolean => ['create', 'update', 'patch'].includes(verb);

/**
 * Executes a create, update or patch of what the caller is shown: the plan says with which requests it is stored. Throws a StatusError, or
 * an UpstreamError where the shard gave no answer.
 */
export async function executeViewWrite(
  execution: Execution,
  plan: Transform,
  write: NonNullable<Transform['write']>,
): Promise<void> {
  const { rest, call } = execution;
  // Where an encoded slash separates name and subresource, the shard may read another path than the plan is about.
  if (rest.segments.some(hasEncodedSlash)) throw badRequest('the request target is not accepted: it has an encoded slash');
  const { verb, subresource, name } = call.request;
  const isWritable = verb === 'create' ? name === '' : name !== '' && ['', 'status'].includes(subresource);
  if (!isWritable) throw methodNotAllowed(refOf(execution), verb);
  // What the caller cannot be shown is not done either.
  const writing: ViewWriting = { ...execution, plan, guard: {}, write, print: printerOf(execution, plan) };
  if (verb === 'patch') return patchView(writing);
  return verb === 'create' ? createOf(writing) : updateView(writing);
}

async function createOf(writing: ViewWriting): Promise<void> {
  const submitted = await submittedObject(writing);
  requireSameObject(expectedOf(writing, submitted), submitted);
  const planned = await writing.write({ verb: 'create', subresource: '', stored: undefined, submitted });
  sendCollected(writing.exchange, await carryOut(writing, planned, undefined));
}

/** A conflict is the caller's to solve: it is about the version that he has seen. */
async function updateView(writing: ViewWriting): Promise<void> {
  const { exchange, call } = writing;
  const submitted = await submittedObject(writing);
  requireSameObject({ ...expectedOf(writing, submitted), name: call.request.name }, submitted);
  const found = await readStored(writing);
  if ('response' in found) return sendCollected(exchange, found.response);
  const { stored } = found;
  const planned = await writing.write({ verb: 'update', subresource: call.request.subresource, stored, submitted });
  // What is refused may be hidden, and then nothing of it is told.
  if (!('refusal' in planned)) requireSameUid(writing, stored, submitted);
  sendCollected(exchange, await carryOut(writing, planned, stored));
}

/** The object in the body, in the namespace of the path. In JSON or YAML: of protobuf only the metadata can be read. */
async function submittedObject(writing: ViewWriting): Promise<KubeObject> {
  const { plan, call } = writing;
  const expected = { accepted: CUSTOM_BODY_TYPES, kind: plan.customKind ?? plan.of?.kind ?? call.request.resource };
  const { object } = decodeObjectBody(contentTypeOf(writing), await readBody(writing), expected);
  const isBuiltIn = plan.customKind === undefined;
  const { apiVersion, kind } = expectedOf(writing, object);
  return {
    ...object,
    // Of built-in resources both may be left out.
    ...(isBuiltIn && !object.apiVersion && { apiVersion }),
    ...(isBuiltIn && !object.kind && { kind }),
    metadata: inNamespace(object.metadata, namespaceOf(call.request)),
  };
}

const inNamespace = (metadata: KubeObject['metadata'] = {}, namespace: string): NonNullable<KubeObject['metadata']> =>
  namespace === '' || metadata.namespace ? metadata : { ...metadata, namespace };

/** What a body must say that is sent to this path. Without a word of the plan's about the kind it may be any: the shard knows it. */
function expectedOf({ plan, call }: ViewWriting, submitted: KubeObject) {
  const { apiGroup, apiVersion } = call.request;
  return {
    apiVersion: apiGroup === '' ? apiVersion : `${apiGroup}/${apiVersion}`,
    kind: plan.customKind ?? plan.of?.kind ?? submitted.kind,
    namespace: namespaceOf(call.request),
  };
}
