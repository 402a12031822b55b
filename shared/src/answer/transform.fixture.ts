/** Test equipment: one request of a view that is transformed, in memory. */
import type { Caller } from '../authn/identity.ts';
import { badRequest, toStatusError } from '../kube/errors.ts';
import { requestInfo } from '../target/request-info.ts';
import { parseTarget } from '../target/target.ts';
import { fakeExchange } from '../testing/fake-exchange.ts';
import type { FakeUpstream } from '../testing/fake-upstream.ts';
import { type Call, transform } from '../view/view.ts';
import { createDrain } from './drain.ts';
import { sendStatus } from './send.ts';
import { executeTransform } from './transform.ts';
import { createVacancies } from './vacancies.ts';

const caller: Caller = { name: 'alice', uid: '', groups: [], extra: {}, method: 'token' };
export const visible = (name: string) => ({ metadata: { name, labels: { visible: 'yes' } } });
export const hidden = (name: string) => ({ metadata: { name } });
export const PLAN = transform({
  reads: 'metadata',
  object: object => (object.metadata?.labels?.visible ? object : undefined),
  admit: (_, proposed) => (proposed.spec === 'bad' ? badRequest('bad spec') : undefined),
  because: 'test',
});

export async function ask(
  shard: FakeUpstream,
  method: string,
  path: string,
  { headers = [] as string[], body = undefined as string | undefined, leave = false, plan = PLAN } = {},
) {
  const exchange = fakeExchange(method, path, { headers, ...(body !== undefined && { body }) });
  const rest = parseTarget(path);
  const call: Call = { caller, scope: { cluster: 'c1' }, request: requestInfo(method, rest), query: rest.query };
  const done = executeTransform({ exchange, shard, drain: createDrain(), vacancies: createVacancies(shard), call, rest }, plan);
  if (leave) setTimeout(() => exchange.leave(), 20);
  await done.catch(error => sendStatus(exchange, toStatusError(error)));
  return exchange;
}

export const THINGS = '/apis/g.io/v1/things';
