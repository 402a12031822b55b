import { expect, test } from '@jest/globals';
import { fakeUpstream } from '@kcp-vw/shared/testing/fake-upstream.ts';
import { collectionPath, objectPath, readObject, sendDelete, sendPatch } from './patch.ts';

const DEPLOYMENTS = { group: 'apps', version: 'v1', resource: 'deployments' };
const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' };
const signal = new AbortController().signal;
const answering = (status: number, body: object = {}) => fakeUpstream(() => ({ status, body }));
const PATCH = { metadata: { uid: 'u', labels: { a: null } } };

test('the paths of a resource and of its objects', () => {
  expect(collectionPath(DEPLOYMENTS)).toBe('/clusters/*/apis/apps/v1/deployments');
  expect(collectionPath(NAMESPACES)).toBe('/clusters/*/api/v1/namespaces');
  expect(objectPath(DEPLOYMENTS, { cluster: 'c', namespace: 'n', name: 'web' })).toBe(
    '/clusters/c/apis/apps/v1/namespaces/n/deployments/web',
  );
  expect(objectPath(NAMESPACES, { cluster: 'c', namespace: '', name: 'n' })).toBe('/clusters/c/api/v1/namespaces/n');
});

test('a patch is sent as one to merge, and the answer is the object as it is stored', async () => {
  const upstream = answering(200, { metadata: { resourceVersion: '2' } });
  expect(await sendPatch({ upstream, signal }, '/p', PATCH)).toEqual({ stored: { metadata: { resourceVersion: '2' } } });
  const [request] = upstream.requests;
  expect(request).toMatchObject({ method: 'PATCH', path: '/p?fieldManager=syncer-vw', body: JSON.stringify(PATCH) });
  expect(request?.headers).toEqual(expect.arrayContaining(['content-type', 'application/merge-patch+json']));
});

test('a patch of a status is sent to the status', async () => {
  const upstream = answering(200);
  await sendPatch({ upstream, signal }, '/p', { metadata: {}, status: { replicas: 1 } });
  expect(upstream.requests[0]?.path).toBe('/p/status?fieldManager=syncer-vw');
});

test('an object that is gone, has changed, or is another of its name is no error', async () => {
  const outcome = (status: number, details = {}) => sendPatch({ upstream: answering(status, { details }), signal }, '/p', PATCH);
  expect(await outcome(404)).toBe('gone');
  expect(await outcome(409)).toBe('changed');
  expect(await outcome(422, { causes: [{ field: 'metadata.uid' }] })).toBe('changed');
});

test('every other refusal is one, and says what was asked and why not', async () => {
  const outcome = (status: number, body: object) => sendPatch({ upstream: answering(status, body), signal }, '/p', PATCH);
  await expect(outcome(422, { message: 'bad', details: { causes: [{ field: 'metadata.labels' }] } })).rejects.toThrow(
    'patching /p: the server answered 422: bad',
  );
  await expect(outcome(403, { message: 'no' })).rejects.toThrow('patching /p: the server answered 403: no');
});

test('only the object with the uid is deleted', async () => {
  const upstream = answering(200);
  expect(await sendDelete({ upstream, signal }, '/p', 'u')).toBe('deleted');
  expect(JSON.parse(upstream.requests[0]?.body ?? '')).toMatchObject({ preconditions: { uid: 'u' } });
  expect(await sendDelete({ upstream: answering(409), signal }, '/p', 'u')).toBe('changed');
  expect(await sendDelete({ upstream: answering(404), signal }, '/p', 'u')).toBe('gone');
  await expect(sendDelete({ upstream: answering(405), signal }, '/p', 'u')).rejects.toThrow('deleting /p');
});

test('an object that is not there is read as nothing', async () => {
  expect(await readObject({ upstream: answering(404), signal }, '/p')).toBeUndefined();
  await expect(readObject({ upstream: answering(500), signal }, '/p')).rejects.toThrow('reading /p');
});
