import { expect, test } from '@jest/globals';
import { type FakeResponse, fakeUpstream } from '../testing/fake-upstream.ts';
import { tenancyIdentity } from './tenancy-identity.ts';

const RECORD = '/clusters/system:shard/api/v1/namespaces/default/configmaps/apiexport-identity-cache';
const EXPORT = '/clusters/root/apis/apis.kcp.io/v1alpha2/apiexports/tenancy.kcp.io';

const shard = (answers: Readonly<Record<string, FakeResponse>>) =>
  fakeUpstream(({ path }) => answers[path] ?? { status: 404, body: { kind: 'Status', code: 404 } });

const record = (data: object): FakeResponse => ({ body: { kind: 'ConfigMap', data } });
const exported = (status: object): FakeResponse => ({ body: { kind: 'APIExport', status } });

test("the identity is that of the shard's own record, and the export is not asked then", async () => {
  const upstream = shard({ [RECORD]: record({ 'tenancy.kcp.io': 'one' }), [EXPORT]: exported({ identityHash: 'two' }) });
  expect(await tenancyIdentity(upstream)).toBe('one');
  expect(upstream.requests.map(({ path }) => path)).toEqual([RECORD]);
});

test.each<[string, Record<string, FakeResponse>]>([
  ['no record', {}],
  ['a record without it', { [RECORD]: record({ 'apis.kcp.io': 'other' }) }],
  ['an empty record', { [RECORD]: { body: { kind: 'ConfigMap' } } }],
])('with %s it is that of the export in root', async (_, answers) => {
  expect(await tenancyIdentity(shard({ ...answers, [EXPORT]: exported({ identityHash: 'two' }) }))).toBe('two');
});

test('there is none while neither is there, or the export has none yet', async () => {
  expect(await tenancyIdentity(shard({}))).toBeUndefined();
  expect(await tenancyIdentity(shard({ [EXPORT]: exported({}) }))).toBeUndefined();
});

test('a shard that cannot be asked is an error', async () => {
  await expect(tenancyIdentity(fakeUpstream(() => 'unreachable'))).rejects.toMatchObject({ failure: 'unreachable' });
});

test('it is not waited for any longer than asked', async () => {
  const stop = new AbortController();
  const waiting = tenancyIdentity(
    fakeUpstream(() => ({ open: true })),
    { signal: stop.signal },
  );
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ failure: 'reset' });
});
