import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { Caller } from '../authn/identity.ts';
import { requestInfo } from '../target/request-info.ts';
import { parseTarget } from '../target/target.ts';
import { fakeExchange } from '../testing/fake-exchange.ts';
import { fakeUpstream } from '../testing/fake-upstream.ts';
import { type Call, forward } from '../view/view.ts';
import { createDrain } from './drain.ts';
import { executeForward } from './forward.ts';
import { createVacancies } from './vacancies.ts';

const caller: Caller = { name: 'alice', uid: '', groups: [], extra: {}, method: 'token' };
const PATH = '/api/v1/namespaces/default/configmaps';

function post(body: PassThrough) {
  const exchange = fakeExchange('POST', PATH, { body });
  let end: ((reason: string) => void) | undefined;
  const rest = parseTarget(PATH);
  const call: Call = { caller, scope: { cluster: 'c1' }, request: requestInfo('POST', rest), query: rest.query };
  const shard = fakeUpstream(() => ({ status: 201, body: {} }));
  const plan = forward({
    until: given => {
      end = given;
      return () => {
        end = undefined;
      };
    },
    because: 'test',
  });
  const done = executeForward({ exchange, shard, drain: createDrain(), vacancies: createVacancies(shard), call, rest }, plan);
  return { shard, done, end: () => end };
}

// A body that is sent one byte a second was allowed when its headers came. What it makes may be stored when the access has long ended.
test('an access that ends while a request body is on its way takes the request with it', async () => {
  const body = new PassThrough();
  const { shard, done, end } = post(body);
  body.write('{');
  end()?.('the access has ended');
  await done;
  expect(shard.requests[0]?.aborted).toBe(true);
});

test('an access that ends after the request body leaves the answer alone', async () => {
  const body = new PassThrough();
  const { shard, done, end } = post(body);
  body.end('{}');
  await sleep(20);
  expect(end()).toBeUndefined();
  await done;
  expect(shard.requests).toMatchObject([{ body: '{}' }]);
});
