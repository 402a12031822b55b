import { describe, expect, test } from '@jest/globals';
import type { Caller } from '../authn/identity.ts';
import { toStatusError } from '../kube/errors.ts';
import { requestInfo } from '../target/request-info.ts';
import { parseTarget } from '../target/target.ts';
import { fakeExchange } from '../testing/fake-exchange.ts';
import { fakeUpstream } from '../testing/fake-upstream.ts';
import { type Call, forward } from '../view/view.ts';
import { createDrain } from './drain.ts';
import { executeForward } from './forward.ts';
import { sendStatus } from './send.ts';
import { createVacancies } from './vacancies.ts';

const THINGS = '/apis/g.io/v1/things';
const META = 'g=meta.k8s.io;v=v1';
const LIST = `application/json;as=PartialObjectMetadataList;${META}`;
const OBJECT = `application/json;as=PartialObjectMetadata;${META}`;
/** As client-go's metadata client asks. */
const METADATA_CLIENT = `application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;${META},${LIST},application/json`;

const thing = (name: string) => ({
  apiVersion: 'g.io/v1',
  kind: 'Thing',
  metadata: { name, annotations: { 'kcp.io/cluster': 'c1' } },
  spec: { secret: 'x' },
});
const reduced = (name: string) => ({
  apiVersion: 'meta.k8s.io/v1',
  kind: 'PartialObjectMetadata',
  metadata: { name, annotations: { 'kcp.io/cluster': 'c1', 'kcp.io/original-api-version': 'g.io/v1' } },
});
const list = {
  apiVersion: 'g.io/v1',
  kind: 'ThingList',
  metadata: { resourceVersion: '7', continue: 'more' },
  items: [thing('a')],
};

interface Ask {
  readonly cluster?: string;
  readonly builtIn?: boolean;
  readonly path?: string;
  readonly body?: object | string;
  readonly status?: number;
}

async function ask(accept: string, { cluster = '*', builtIn = false, path = THINGS, body = list, status = 200 }: Ask = {}) {
  const shard = fakeUpstream(() => ({ status, body }));
  const caller: Caller = { name: 'alice', uid: '', groups: [], extra: {}, method: 'token' };
  const rest = parseTarget(path);
  const exchange = fakeExchange('GET', path, { headers: ['accept', accept] });
  const call: Call = { caller, scope: { cluster }, request: requestInfo('GET', rest), query: rest.query };
  const plan = forward({ because: 'test', ...(!builtIn && { identity: 'h4sh', customKind: 'Thing' }) });
  await executeForward({ exchange, shard, drain: createDrain(), vacancies: createVacancies(shard), call, rest }, plan).catch(
    error => sendStatus(exchange, toStatusError(error)),
  );
  const headers = shard.requests[0]?.headers ?? [];
  return { exchange, shard, asked: headers[headers.indexOf('accept') + 1] };
}

// kcp 0.32 answers metadata of all logical clusters from the objects of every identity: a provider saw the names, labels and annotations of
// objects of other providers' APIs, if these had the group and resource in common.
describe('metadata of all logical clusters', () => {
  test.each([LIST, METADATA_CLIENT, `application/json, ${LIST}`, `application/yaml, ${OBJECT};q=0.1`])(
    'is never what the shard is asked for, with %s',
    async accept => {
      expect((await ask(accept)).asked).not.toContain('PartialObjectMetadata');
    },
  );

  test.each([LIST, METADATA_CLIENT])('of a list is what is left of its objects, with %s', async accept => {
    const { exchange } = await ask(accept);
    expect(exchange.json).toEqual({
      apiVersion: 'meta.k8s.io/v1',
      kind: 'PartialObjectMetadataList',
      metadata: list.metadata,
      items: [reduced('a')],
    });
    expect(exchange.responseHeader('content-type')).toBe('application/json');
  });

  test('of the last page names no next one', async () => {
    const last = { ...list, metadata: { resourceVersion: '7', continue: '' } };
    expect((await ask(LIST, { body: last })).exchange.json).toMatchObject({ metadata: { resourceVersion: '7' } });
    expect((await ask(LIST, { body: last })).exchange.text).not.toContain('continue');
  });

  test('of a list is in YAML where that is asked for', async () => {
    const { exchange } = await ask(`application/yaml;as=PartialObjectMetadataList;${META}`);
    expect(exchange.text).toContain('kind: PartialObjectMetadataList\n');
    expect(exchange.text).not.toContain('secret');
  });

  test('of a list that the shard refuses is its refusal', async () => {
    const { exchange } = await ask(LIST, { status: 410, body: { kind: 'Status', reason: 'Expired' } });
    expect([exchange.status, exchange.json]).toEqual([410, { kind: 'Status', reason: 'Expired' }]);
  });

  test('of a watch is what is left of each object; bookmarks and errors say what they said', async () => {
    const end = { 'k8s.io/initial-events-end': 'true' };
    const bookmark = { apiVersion: 'g.io/v1', kind: 'Thing', metadata: { resourceVersion: '9', annotations: end } };
    const error = { type: 'ERROR', object: { kind: 'Status', code: 410 } };
    const events = [{ type: 'ADDED', object: thing('a') }, { type: 'BOOKMARK', object: bookmark }, error];
    const body = events.map(event => `${JSON.stringify(event)}\n`).join('');
    const { exchange, asked } = await ask(OBJECT, { path: `${THINGS}?watch=true`, body });
    expect(asked).toBe('application/json');
    expect(
      exchange.text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
    ).toEqual([
      { type: 'ADDED', object: reduced('a') },
      { type: 'BOOKMARK', object: { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata: bookmark.metadata } },
      error,
    ]);
  });

  test.each([
    [OBJECT, THINGS],
    [LIST, `${THINGS}?watch=true`],
    [`application/yaml;as=PartialObjectMetadata;${META}`, `${THINGS}?watch=true`],
    [`application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;${META}`, THINGS],
  ])('with %s at %s is 406', async (accept, path) => {
    const { exchange, shard } = await ask(accept, { path });
    expect([exchange.status, shard.requests]).toEqual([406, []]);
  });

  test('does not keep a Table from being the shard’s', async () => {
    const table = `application/json;as=Table;${META}`;
    expect((await ask(`${table}, ${LIST}`)).asked).toBe(table);
  });
});

test.each([
  ['of one logical cluster', { cluster: 'c1' }],
  ['of what is built in', { builtIn: true }],
])('metadata %s is the shard’s', async (_, how) => {
  expect((await ask(METADATA_CLIENT, how)).asked).toBe(METADATA_CLIENT);
});

// The attack: a consumer stores an object of 3,000 nested lists with a large number in it, and the provider's lists of metadata fail.
test('an object that is nested too deep to be printed again does not spoil a list of metadata', async () => {
  const deep = `${'['.repeat(3_000)}12345678901234567890${']'.repeat(3_000)}`;
  const body = JSON.stringify(list).replace('"x"', deep);
  const { exchange } = await ask(LIST, { body });
  expect(exchange.status).toBe(200);
});
