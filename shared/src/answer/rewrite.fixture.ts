/** Test equipment: a caller whose requests for widgets a plan puts in other words. */
import type { Caller } from '../authn/identity.ts';
import { toStatusError } from '../kube/errors.ts';
import { headerValue } from '../listener/headers.ts';
import { requestInfo } from '../target/request-info.ts';
import { parseTarget } from '../target/target.ts';
import { fakeExchange } from '../testing/fake-exchange.ts';
import type { FakeUpstream, SeenRequest } from '../testing/fake-upstream.ts';
import { type Call, type Rewrite, rewrite } from '../view/view.ts';
import { createDrain } from './drain.ts';
import { executeRewrite } from './rewrite.ts';
import { sendStatus } from './send.ts';
import { createVacancies } from './vacancies.ts';

export const WIDGETS = '/apis/example.dev/v1/widgets';
export const WIDGET = `${WIDGETS}/a`;

const caller: Caller = { name: 'alice', uid: '', groups: [], extra: {}, method: 'token' };

const OF = {
  apiVersion: 'example.dev/v1',
  kind: 'Widget',
  group: 'example.dev',
  resource: 'widgets',
  columns: [{ name: 'Color', type: 'string', description: '', priority: 0, jsonPath: '.spec.color' }],
} as const;

/** An object as the shard has it. */
export const stored = (name: string, more: object = {}) => ({
  apiVersion: 'example.dev/v1',
  kind: 'Widget',
  metadata: { name, resourceVersion: '7', annotations: { secret: 'x' } },
  spec: { color: 'red' },
  ...more,
});

/** Without what the caller is not shown. */
export const shown: NonNullable<Rewrite['response']> = object => ({
  ...object,
  metadata: { ...object.metadata, annotations: {}, resourceVersion: '1000' },
});

export interface Ask {
  readonly headers?: readonly string[];
  readonly body?: object | string | undefined;
  readonly leaves?: boolean;
}

/** One request of the caller, and what came of it. */
export async function ask(shard: FakeUpstream, plan: Partial<Rewrite>, method: string, path: string, options: Ask = {}) {
  const { headers = [], body, leaves = false } = options;
  const text = typeof body === 'object' ? JSON.stringify(body) : body;
  const exchange = fakeExchange(method, path, { headers, ...(text !== undefined && { body: text }) });
  const rest = parseTarget(path);
  const call: Call = { caller, scope: { cluster: 'c1' }, request: requestInfo(method, rest), query: rest.query };
  const as = { name: 'alice', uid: '', groups: ['team'], extra: {} };
  const done = executeRewrite(
    { exchange, shard, drain: createDrain(), vacancies: createVacancies(shard), call, rest },
    rewrite({ of: OF, customKind: 'Widget', as, because: 'test', ...plan }),
  );
  if (leaves) setTimeout(() => exchange.leave(), 20);
  await done.catch(error => sendStatus(exchange, toStatusError(error)));
  return exchange;
}

/** What the shard was asked, without the way to the collection. */
export const trail = ({ requests }: FakeUpstream): string[] =>
  requests.map(({ method, path }) => `${method} ${path.replace(`/clusters/c1${WIDGETS}`, '')}`);

export const headerIn = (request: Pick<SeenRequest, 'headers'> | undefined, name: string): string | undefined =>
  headerValue(request?.headers ?? [], name);
