/** Test equipment: a shard that stores one object as API servers do, status and all else by different paths, and a view of it that is written through. */
import type { Caller } from '../authn/identity.ts';
import { conflict, notFound, toStatusError } from '../kube/errors.ts';
import { parseExact } from '../kube/json-exact.ts';
import type { KubeObject } from '../kube/objects.ts';
import { requestInfo } from '../target/request-info.ts';
import { parseTarget } from '../target/target.ts';
import { fakeExchange } from '../testing/fake-exchange.ts';
import { type FakeResponse, type FakeUpstream, fakeUpstream, type SeenRequest } from '../testing/fake-upstream.ts';
import { type Call, type Transform, transform, type ViewWrite, type ViewWritePlan } from '../view/view.ts';
import { createDrain } from './drain.ts';
import { sendStatus } from './send.ts';
import { executeTransform } from './transform.ts';
import { createVacancies } from './vacancies.ts';

export const THINGS = '/apis/g.io/v1/namespaces/x/things';
export const THING = `${THINGS}/a`;
export const JSON_PATCH = ['content-type', 'application/json-patch+json'];
export const MERGE = ['content-type', 'application/merge-patch+json'];
export const STRATEGIC = ['content-type', 'application/strategic-merge-patch+json'];

const caller: Caller = { name: 'alice', uid: '', groups: [], extra: {}, method: 'token' };

/** At version 5. Its note is an annotation, which the view shows as `spec.note`. */
export const stored = (more: object = {}): KubeObject => ({
  apiVersion: 'g.io/v1',
  kind: 'Thing',
  metadata: { name: 'a', namespace: 'x', uid: 'u1', resourceVersion: '5', annotations: { note: 'old' } },
  spec: { size: 1 },
  status: { phase: 'Old' },
  ...more,
});

/** The same as it is shown. */
export const shown = (note = 'old', more: object = {}): KubeObject => ({
  apiVersion: 'g.io/v1',
  kind: 'Thing',
  metadata: { name: 'a', namespace: 'x', uid: 'u1', resourceVersion: '5' },
  spec: { size: 1, note },
  status: { phase: 'Old' },
  ...more,
});

const viewOf = ({ metadata = {}, ...object }: KubeObject): KubeObject | undefined => {
  const { annotations = {}, ...rest } = metadata;
  if (annotations.hidden) return undefined;
  return { ...object, metadata: rest, spec: { ...(object.spec as object), note: annotations.note } };
};
const visible = (object: KubeObject): KubeObject => viewOf(object) ?? object;

/** The note goes into the annotation, then the status to its own path. Everything else that is asked for is left as it is. */
function written({ verb, stored: before, submitted }: ViewWrite): ViewWritePlan {
  const { note } = submitted.spec as { note: string };
  const { name = '', resourceVersion } = submitted.metadata ?? {};
  const ref = { group: 'g.io', resource: 'things' };
  const answer = visible;
  const withNote = ({ metadata, ...object }: KubeObject): KubeObject => ({
    ...object,
    metadata: { ...metadata, annotations: { ...metadata?.annotations, note } },
  });
  if (verb === 'create') return { answer, steps: [{ subresource: '', object: () => withNote(submitted) }] };
  if (before === undefined || viewOf(before) === undefined) return { refusal: notFound(ref, name) };
  if (before.metadata?.resourceVersion !== resourceVersion) return { refusal: conflict(ref, name, 'it has changed') };
  const steps: { readonly subresource: '' | 'status'; readonly object: (current: KubeObject) => KubeObject }[] = [];
  if (before.metadata?.annotations?.note !== note) steps.push({ subresource: '', object: withNote });
  const { status } = submitted;
  if (JSON.stringify(before.status) !== JSON.stringify(status))
    steps.push({ subresource: 'status', object: current => ({ ...current, status }) });
  return { answer, steps };
}

export const VIEW = transform({ reads: 'object', object: viewOf, write: written, customKind: 'Thing', because: 'test' });

export interface StoringShard extends FakeUpstream {
  object: KubeObject | undefined;
  /** Called before each answer: others are at work, too. What it returns is the answer. */
  meanwhile: (request: SeenRequest, index: number) => FakeResponse | undefined;
}

export function storingShard(object: KubeObject | undefined = stored()): StoringShard {
  const failure = (code: number): FakeResponse => ({
    status: code,
    body: { kind: 'Status', code, message: 'refused by the shard' },
  });
  const answer = ({ method, path, body }: SeenRequest): FakeResponse => {
    const current = shard.object;
    if (method === 'POST') return { status: 201, body: JSON.stringify(parseExact(body)) };
    if (current === undefined) return failure(404);
    if (method === 'GET') return { body: current };
    const given = parseExact(body) as KubeObject;
    const { resourceVersion } = current.metadata ?? {};
    if (given.metadata?.resourceVersion !== resourceVersion) return failure(409);
    const metadata = { ...given.metadata, resourceVersion: String(Number(resourceVersion) + 1) };
    const isStatus = path.split('?')[0]?.endsWith('/status');
    const next = isStatus
      ? { ...current, status: given.status, metadata: { ...current.metadata, resourceVersion: metadata.resourceVersion } }
      : { ...given, status: current.status, metadata };
    if (!path.includes('dryRun=All')) shard.object = next;
    return { headers: ['content-type', 'application/json', 'warning', `299 - "${isStatus ? 'status' : 'main'}"`], body: next };
  };
  const shard: StoringShard = Object.assign(
    fakeUpstream((request, index) => shard.meanwhile(request, index) ?? answer(request)),
    { object, meanwhile: (): undefined => undefined },
  );
  return shard;
}

export interface Asked {
  readonly headers?: readonly string[];
  readonly body?: unknown;
  readonly plan?: Transform;
}

/** A body that is no text is sent as JSON. */
export async function ask(shard: FakeUpstream, method: string, path: string, { headers = [], body, plan = VIEW }: Asked = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const exchange = fakeExchange(method, path, { headers, ...(text !== undefined && { body: text }) });
  const rest = parseTarget(path);
  const call: Call = { caller, scope: { cluster: 'c1' }, request: requestInfo(method, rest), query: rest.query };
  await executeTransform({ exchange, shard, drain: createDrain(), vacancies: createVacancies(shard), call, rest }, plan).catch(
    error => sendStatus(exchange, toStatusError(error)),
  );
  return exchange;
}

export const trail = (shard: FakeUpstream): string[] =>
  shard.requests.map(
    ({ method, path }) => `${method} ${path.replace(`/clusters/c1${THING}`, '').replace(`/clusters/c1${THINGS}`, '*')}`,
  );
