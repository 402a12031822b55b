import { setTimeout as sleep } from 'node:timers/promises';
import { conflict, notFound, type ResourceRef, StatusError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Labels } from '../kube/selectors.ts';
import { headerValue, withoutHeaders } from '../listener/headers.ts';
import type { AdmittedWrite, Forward, Guard } from '../view/view.ts';
import { type CollectedResponse, collect, parseObject, sendCollected } from './collect.ts';
import type { Execution } from './execution.ts';
import { upstreamHeaders, upstreamPath } from './upstream-request.ts';

/** A request that is sent on in words of our own. */
export interface Asking extends Execution {
  /** Without its selector: that is for collections. */
  readonly plan: Pick<Forward, 'cluster' | 'identity' | 'as' | 'customKind'>;
}

/** A request for one object, of which something is checked here before the shard does what is asked. */
export interface Checked extends Asking {
  readonly guard: Guard;
}

/** What an attempt came to: an answer for the caller, or a conflict after which everything is looked at again. */
export interface Attempt {
  readonly response: CollectedResponse;
  readonly retry: boolean;
}

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 10;

/** Answers with what the first attempt comes to that does not end in a conflict, or the fifth. */
export async function conclude({ exchange }: Checked, attempt: () => Promise<Attempt>): Promise<void> {
  let pause = FIRST_PAUSE_MS;
  for (let tries = 1; ; tries++) {
    const { response, retry } = await attempt();
    if (!retry || tries === ATTEMPTS) return sendCollected(exchange, response);
    await sleep(pause);
    pause *= 2;
  }
}

/** The stored object: what the caller may know of it. */
export type Found =
  | { readonly is: 'visible'; readonly object: KubeObject }
  | { readonly is: 'hidden' }
  /** Not there, or refused by the shard: its answer. */
  | { readonly is: 'missing'; readonly response: CollectedResponse }
  | { readonly is: 'refused'; readonly response: CollectedResponse };

/** Looks at the object as it is stored now. Of a path below it, other than its status, that is the object itself. */
export async function find(checked: Checked): Promise<Found> {
  const { shard, guard } = checked;
  const response = await ask(checked, { method: 'GET', rawQuery: '', accept: 'application/json', parts: stored(checked) });
  if (response.status >= 300) return { is: response.status === 404 ? 'missing' : 'refused', response };
  const object = parseObject(response.body, shard);
  return (guard.visible?.(object) ?? true) ? { is: 'visible', object } : { is: 'hidden' };
}

/** The same where only an object that the caller sees will do. Throws a StatusError 404 for a hidden one. */
export async function findVisible(checked: Checked): Promise<Attempt | { readonly object: KubeObject }> {
  const found = await find(checked);
  if (found.is === 'hidden') throw hidden(checked);
  return found.is === 'visible' ? found : { response: found.response, retry: false };
}

/** `status` shows the object as its own path does, and is read where it is written; others show something else. */
const stored = ({ call: { request } }: Checked): number => (request.subresource === 'status' ? request.parts.length : 2);

/** What the guard puts on an object that is written. Throws what it refuses with. */
export function admitted({ guard }: Checked, write: AdmittedWrite): Labels {
  const result = guard.admit?.(write);
  if (result instanceof StatusError) throw result;
  return result?.labels ?? {};
}

interface Asked {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly rawQuery: string;
  readonly body?: Buffer;
  readonly contentType?: string;
  /** Default: the caller's own. */
  readonly accept?: string;
  /** How many of the path's parts, from the resource on; default: all. 1 is the collection, 2 the object. */
  readonly parts?: number;
}

/** Sends a request of the same caller to the same path, with its answer in memory. */
export function ask(asking: Asking, asked: Asked): Promise<CollectedResponse> {
  const { exchange, shard, call, rest, plan } = asking;
  const { method, rawQuery, body, contentType = 'application/json', accept, parts } = asked;
  const { cluster, identity } = plan;
  const destination = { ...(cluster !== undefined && { cluster }), ...(identity !== undefined && { identity }) };
  const path = upstreamPath(call, { ...rest, rawQuery: '' }, destination);
  const shortened = path
    .replace(/\/$/, '')
    .split('/')
    .slice(0, (parts ?? call.request.parts.length) - call.request.parts.length || undefined);
  const headers = withoutHeaders(
    upstreamHeaders(exchange, plan),
    name => OF_BODIES.has(name) || (name === 'accept' && accept !== undefined),
  );
  return collect(exchange, shard, {
    method,
    path: `${shortened.join('/')}${rawQuery && `?${rawQuery}`}`,
    headers: [...headers, ...(accept === undefined ? [] : ['accept', accept]), ...(body ? ['content-type', contentType] : [])],
    body: body ?? null,
    ...(body && { contentLength: body.length }),
    longRunning: false,
  });
}

/** Of the caller's body and of the answer to it as it was asked for: neither need be those of our requests. */
const OF_BODIES = new Set(['accept-encoding', 'content-type', 'content-encoding', 'if-match', 'if-none-match']);

export async function readBody({ exchange }: Pick<Execution, 'exchange'>): Promise<Buffer> {
  if (exchange.body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  for await (const chunk of exchange.body) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

export const contentTypeOf = ({ exchange }: Pick<Execution, 'exchange'>): string | undefined =>
  headerValue(exchange.headers, 'content-type');

export const refOf = ({ call: { request } }: Pick<Execution, 'call'>): ResourceRef => ({
  group: request.apiGroup,
  resource: request.resource,
});

/** What the caller does not see is not there. */
export const hidden = (checked: Checked): StatusError => notFound(refOf(checked), checked.call.request.name);

/** What is stored is not what was inspected. */
export const modified = (checked: Checked): StatusError =>
  conflict(
    refOf(checked),
    checked.call.request.name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );

/** An error as a shard would have sent it. */
export function errorResponse({ status }: StatusError): CollectedResponse {
  return { status: status.code, headers: ['content-type', 'application/json'], body: Buffer.from(JSON.stringify(status)) };
}

/** An apply to an object that the caller does not see: to kcp's view it is missing, and cannot be made. */
export function alreadyExists(checked: Checked): StatusError {
  const { group, resource } = refOf(checked);
  const { name } = checked.call.request;
  const message = `${group ? `${resource}.${group}` : resource} "${name}" already exists`;
  return new StatusError('AlreadyExists', message, { name, ...(group && { group }), kind: resource });
}
