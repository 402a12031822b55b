import { expect, test } from '@jest/globals';
import { fakeUpstream } from '../testing/fake-upstream.ts';
import type { Guard } from '../view/view.ts';
import { ask, MERGE, THING, thing } from './guarded.fixture.ts';

const guard: Guard = { admit: () => undefined };

/** A patch that is inspected, of which the dry run is answered so. */
async function patch(status: number, message: string) {
  const shard = fakeUpstream(({ method }) =>
    method === 'GET' ? { body: thing() } : { status, body: { kind: 'Status', code: status, message } },
  );
  const exchange = await ask(shard as Parameters<typeof ask>[0], guard, 'PATCH', THING, { headers: MERGE, body: {} });
  return { status: exchange.status, message: (exchange.json as { message?: string }).message };
}

test('a patch after which nothing is of the kind is the client’s mistake', async () => {
  const why = 'failed to convert unstructured to Thing: cannot restore slice from string';
  expect(await patch(500, why)).toEqual({ status: 422, message: `Thing.g.io "a" is invalid: ${why}` });
});

test('another failure of the shard stays one', async () => {
  expect(await patch(500, 'etcd is away')).toEqual({ status: 500, message: 'etcd is away' });
});

test('a refusal that says the same stays what it is', async () => {
  expect((await patch(403, 'failed to convert unstructured to Thing: x')).status).toBe(403);
});
