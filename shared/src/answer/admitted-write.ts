import { setTimeout as sleep } from 'node:timers/promises';
import { badRequest, conflict, invalid, notFound, StatusError, unsupportedMediaType } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Exchange } from '../listener/exchange.ts';
import { headerValue, withoutHeaders } from '../listener/headers.ts';
import { withParameter } from '../target/target.ts';
import type { Transform } from '../view/view.ts';
import { type CollectedResponse, collect, parseObject, sendCollected } from './collect.ts';
import type { Execution } from './execution.ts';
import { patchedUid } from './patched-uid.ts';
import { upstreamHeaders, upstreamPath } from './upstream-request.ts';

type Plan = Transform & Required<Pick<Transform, 'admit'>>;

interface Write extends Execution {
  readonly plan: Plan;
  readonly body: Buffer;
}

/** What an attempt came to: an answer for the caller, or a conflict that a PATCH may try again. */
type Attempt = { readonly response: CollectedResponse; readonly retry: boolean };

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 10;
/** As kcp's lifecycle views accept them: custom resources know no strategic merge. */
const UPDATE_TYPES = ['application/json'];
const PATCH_TYPES = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'];

/**
 * A write whose result is inspected before it is stored. The result is computed by the shard, never here: a patch is first sent with
 * `dryRun=All`, what comes back is shown to `plan.admit`, and is then PUT with the resourceVersion it was computed on, so that nothing
 * can be stored that was not inspected.
 */
export async function executeAdmittedWrite(execution: Execution, plan: Plan): Promise<void> {
  const { exchange, call } = execution;
  requireType(exchange, call.request.verb === 'patch' ? PATCH_TYPES : UPDATE_TYPES);
  const write: Write = { ...execution, plan, body: await readBody(exchange) };
  const attempt = call.request.verb === 'patch' ? attemptPatch : attemptUpdate;

  let pause = FIRST_PAUSE_MS;
  for (let tries = 1; ; tries++) {
    const { response, retry } = await attempt(write);
    if (!retry || tries === ATTEMPTS) return sendCollected(exchange, response);
    await sleep(pause);
    pause *= 2;
  }
}

async function attemptUpdate(write: Write): Promise<Attempt> {
  const proposed = parseBody(write.body);
  const stored = await readStored(write);
  if ('response' in stored) return stored;
  const other = anotherThing(stored.object, proposed);
  if (other !== undefined) throw badRequest(other);
  const version = proposed.metadata?.resourceVersion;
  // An unconditional update could meet another object than the one inspected. kcp knows none for custom resources either.
  if (!version) throw versionRequired(write);
  if (version !== stored.object.metadata?.resourceVersion) throw modified(write);
  refuseUnlessAdmitted(write, stored.object, proposed);
  const { response } = await put(write, proposed);
  return { response, retry: false };
}

async function attemptPatch(write: Write): Promise<Attempt> {
  const stored = await readStored(write);
  if ('response' in stored) return stored;
  const uid = patchedUid(headerValue(write.exchange.headers, 'content-type') ?? '', write.body);
  if (uid !== undefined && uid !== stored.object.metadata?.uid) throw anotherObject(write, uid, stored.object);
  const computed = await send(write, 'PATCH', write.body, 'All');
  if (computed.status >= 300) return { response: computed, retry: false };
  const proposed = parseObject(computed.body, write.shard);
  if (proposed.metadata?.resourceVersion !== stored.object.metadata?.resourceVersion) {
    return { response: conflictResponse(write), retry: true };
  }
  refuseUnlessAdmitted(write, stored.object, proposed);
  return put(write, proposed);
}

/** Why a body is not about the object it is sent to, in the API server's words. */
function anotherThing(stored: KubeObject, proposed: KubeObject): string | undefined {
  const { apiVersion, kind } = stored;
  if (proposed.apiVersion !== apiVersion) {
    return `the API version in the data (${proposed.apiVersion ?? ''}) does not match the expected API version (${apiVersion})`;
  }
  if (proposed.kind !== kind) return `the kind in the data (${proposed.kind ?? ''}) does not match the expected kind (${kind})`;
  const [given, name] = [proposed.metadata?.name, stored.metadata?.name];
  return given === name ? undefined : `the name of the object (${given ?? ''}) does not match the name on the URL (${name})`;
}

/** The object as it is stored now, if the caller may see it at all. */
async function readStored(write: Write): Promise<Attempt | { readonly object: KubeObject }> {
  const { exchange, shard, call, rest, plan } = write;
  const response = await collect(exchange, shard, {
    method: 'GET',
    path: upstreamPath(call, { ...rest, rawQuery: '' }, clusterOf(plan)),
    headers: [...bodilessHeaders(write), 'accept', 'application/json'],
    body: null,
    longRunning: false,
  });
  if (response.status >= 300) return { response, retry: false };
  const object = parseObject(response.body, shard);
  if (plan.object(object) === undefined) {
    throw notFound({ group: call.request.apiGroup, resource: call.request.resource }, call.request.name);
  }
  return { object };
}

async function put(write: Write, object: KubeObject): Promise<Attempt> {
  const response = await send(write, 'PUT', Buffer.from(JSON.stringify(object)));
  return { response, retry: response.status === 409 };
}

function send(write: Write, method: 'PUT' | 'PATCH', body: Buffer, dryRun?: 'All'): Promise<CollectedResponse> {
  const { exchange, shard, call, rest, plan } = write;
  const rawQuery = dryRun ? withParameter(rest.rawQuery, 'dryRun', dryRun) : putQuery(method, rest.rawQuery);
  const contentType = (method === 'PATCH' && headerValue(exchange.headers, 'content-type')) || 'application/json';
  return collect(exchange, shard, {
    method,
    path: upstreamPath(call, { ...rest, rawQuery }, clusterOf(plan)),
    headers: [...bodilessHeaders(write), 'accept', 'application/json', 'content-type', contentType],
    body,
    contentLength: body.length,
    longRunning: false,
  });
}

/** The plan's logical cluster, without its selector: one object is read and written. */
const clusterOf = ({ cluster }: Plan): Pick<Plan, 'cluster'> => (cluster === undefined ? {} : { cluster });

/** `force` belongs to apply only; a PUT with it is refused. */
function putQuery(method: 'PUT' | 'PATCH', rawQuery: string): string {
  return method === 'PUT' ? withParameter(rawQuery, 'force', undefined) : rawQuery;
}

function bodilessHeaders({ exchange, plan }: Write): string[] {
  const dropped = new Set(['accept', 'accept-encoding', 'content-type', 'content-encoding', 'if-match', 'if-none-match']);
  return withoutHeaders(upstreamHeaders(exchange, plan), name => dropped.has(name));
}

function refuseUnlessAdmitted({ plan }: Write, stored: KubeObject, proposed: KubeObject): void {
  const refusal = plan.admit(stored, proposed);
  if (refusal) throw refusal;
}

/** A body without a type is JSON, as for any API server. */
function requireType(exchange: Exchange, accepted: readonly string[]): void {
  const type = (headerValue(exchange.headers, 'content-type') ?? 'application/json').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (!accepted.includes(type)) throw unsupportedMediaType(accepted);
}

async function readBody(exchange: Exchange): Promise<Buffer> {
  if (exchange.body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  for await (const chunk of exchange.body) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

function parseBody(body: Buffer): KubeObject {
  try {
    const parsed: unknown = JSON.parse(body.toString());
    if (parsed !== null && typeof parsed === 'object' && !Array.isArray(parsed)) return parsed as KubeObject;
  } catch (cause) {
    throw new StatusError('BadRequest', 'the object provided is not valid JSON', undefined, { cause });
  }
  throw badRequest('the object provided is not a JSON object');
}

function versionRequired({ call }: Write): StatusError {
  const { apiGroup: group, resource, name } = call.request;
  const detail = 'must be specified for an update';
  return invalid({ group, kind: resource }, name, [{ field: 'metadata.resourceVersion', value: 0, detail }]);
}

/** A shard takes a uid in a patch of the status for a change of metadata, and drops it. Clients mean it as a precondition. */
function anotherObject({ call }: Write, uid: string, stored: KubeObject): StatusError {
  const { apiGroup: group, resource, name } = call.request;
  const detail = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${stored.metadata?.uid ?? ''}`;
  return conflict({ group, resource }, name, detail);
}

function modified({ call }: Write): StatusError {
  const { apiGroup: group, resource, name } = call.request;
  return conflict(
    { group, resource },
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );
}

function conflictResponse(write: Write): CollectedResponse {
  const { status } = modified(write);
  return { status: status.code, headers: ['content-type', 'application/json'], body: Buffer.from(JSON.stringify(status)) };
}
