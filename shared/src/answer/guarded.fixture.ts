/** Test equipment: a shard that keeps one object and knows dry runs, preconditions and conflicts, and a caller who asks through a guard. */
import type { Caller } from '../authn/identity.ts';
import { toStatusError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { requestInfo } from '../target/request-info.ts';
import { parseTarget } from '../target/target.ts';
import { fakeExchange } from '../testing/fake-exchange.ts';
import { type FakeResponse, type FakeUpstream, fakeUpstream, type SeenRequest } from '../testing/fake-upstream.ts';
import { type Call, forward, type Guard } from '../view/view.ts';
import { createDrain } from './drain.ts';
import { executeForward } from './forward.ts';
import { sendStatus } from './send.ts';
import { createVacancies } from './vacancies.ts';

export const THINGS = '/apis/g.io/v1/namespaces/x/things';
export const THING = `${THINGS}/a`;
export const APPLY = ['content-type', 'application/apply-patch+yaml'];
export const MERGE = ['content-type', 'application/merge-patch+json'];

const caller: Caller = { name: 'alice', uid: '', groups: [], extra: {}, method: 'token' };

/** An object called `a`, labelled as given, at version 5. */
export const thing = (labels: Record<string, string> = {}, more: object = {}): KubeObject => ({
  apiVersion: 'g.io/v1',
  kind: 'Thing',
  metadata: { name: 'a', namespace: 'x', uid: 'u1', resourceVersion: '5', labels },
  ...more,
});

export interface ThingShard extends FakeUpstream {
  object: KubeObject | undefined;
  /** Called before each answer, with what was asked so far: others are at work, too. */
  meanwhile: (request: SeenRequest, index: number) => void;
}

/** Merges patches, whatever their type. */
export function thingShard(object: KubeObject | undefined = thing()): ThingShard {
  const failure = (status: number, message = 'refused by the shard'): FakeResponse => ({
    status,
    body: { kind: 'Status', code: status, message },
  });
  const answer = (request: SeenRequest): FakeResponse => {
    const { method, body, path } = request;
    const dryRun = path.includes('dryRun=All');
    const { object: current } = shard;
    const store = (status: number, stored: KubeObject | undefined): FakeResponse => {
      if (!dryRun) shard.object = stored;
      return { status, body: stored ?? { kind: 'Status', status: 'Success' } };
    };
    const given = body === '' ? {} : (JSON.parse(body) as KubeObject & { preconditions?: Precondition });
    if (method === 'POST') return current ? failure(409, 'already exists') : store(201, { ...given, metadata: born(given) });
    const isApply = request.headers.includes('application/apply-patch+yaml');
    if (current === undefined) {
      if (method !== 'PATCH' || !isApply) return failure(404, 'not found');
      return given.metadata?.uid ? failure(409, 'uid mismatch') : store(201, { ...given, metadata: born(given) });
    }
    if (method === 'GET') return { body: current };
    if (!holds(method === 'DELETE' ? given.preconditions : given.metadata, current)) return failure(409, 'precondition');
    if (method === 'DELETE') return store(200, undefined);
    const metadata = {
      ...current.metadata,
      ...given.metadata,
      labels: { ...current.metadata?.labels, ...given.metadata?.labels },
    };
    const replaced = method === 'PUT' ? { ...given, metadata: given.metadata ?? {} } : { ...current, ...given, metadata };
    const { resourceVersion = '' } = current.metadata ?? {};
    const version = dryRun ? resourceVersion : String(Number(resourceVersion) + 1);
    return store(200, {
      ...replaced,
      metadata: { ...replaced.metadata, uid: current.metadata?.uid ?? '', resourceVersion: version },
    });
  };
  const upstream = fakeUpstream((request, index) => {
    shard.meanwhile(request, index);
    return answer(request);
  });
  const shard: ThingShard = Object.assign(upstream, { object, meanwhile: () => undefined });
  return shard;
}

interface Precondition {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

const born = (given: KubeObject) => ({ ...given.metadata, uid: 'u2', resourceVersion: '1' });
const holds = ({ uid, resourceVersion }: Precondition = {}, { metadata }: KubeObject): boolean =>
  (uid === undefined || uid === metadata?.uid) &&
  (resourceVersion === undefined || resourceVersion === metadata?.resourceVersion);

export interface Ask {
  readonly headers?: readonly string[];
  readonly body?: object | string | undefined;
  readonly identity?: string;
  readonly select?: string;
}

/** One request of the caller, and what came of it. */
export async function ask(shard: FakeUpstream, guard: Guard, method: string, path: string, options: Ask = {}) {
  const { headers = [], body, identity = 'h4sh', select } = options;
  const text = typeof body === 'object' ? JSON.stringify(body) : body;
  const exchange = fakeExchange(method, path, { headers, ...(text !== undefined && { body: text }) });
  const rest = parseTarget(path);
  const call: Call = { caller, scope: { cluster: 'c1' }, request: requestInfo(method, rest), query: rest.query };
  const plan = forward({
    as: { name: 'alice', uid: '', groups: ['team'], extra: {} },
    guard,
    ...(identity !== '' && { identity, customKind: 'Thing' }),
    ...(select !== undefined && { select }),
    because: 'test',
  });
  await executeForward({ exchange, shard, drain: createDrain(), vacancies: createVacancies(shard), call, rest }, plan).catch(
    error => sendStatus(exchange, toStatusError(error)),
  );
  return exchange;
}

/** What the shard was asked, without the way to the object. */
export const trail = ({ requests }: FakeUpstream): string[] =>
  requests.map(({ method, path }) => `${method} ${path.replace('/clusters/c1/apis/g.io/v1/namespaces/x/things', '')}`);

export const sent = ({ requests }: FakeUpstream, index: number): Record<string, unknown> =>
  JSON.parse(requests[index]?.body ?? '');
