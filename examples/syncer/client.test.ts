import { expect, test } from '@jest/globals';
import { fakeUpstream } from '@kcp-vw/shared/testing/fake-upstream.ts';
import { createClient, isRefused } from './client.ts';

/** A server that says the same to everything. */
const saying = (status: number, body: string) => fakeUpstream(() => ({ status, body }));

// Kubernetes says so, in plain text, of a group that nobody serves: the resources of a SyncTarget could not be found out then, of no group.
test('what a server refuses in plain text is refused as what it refuses with an object', async () => {
  const client = createClient(saying(404, '404 page not found\n'), '/clusters/west/');
  expect(await client.find('/apis/networking.k8s.io/v1')).toBeUndefined();
  const refused = client.send('GET', '/apis/networking.k8s.io/v1');
  await expect(refused).rejects.toThrow('GET /clusters/west/apis/networking.k8s.io/v1: 404');
  await expect(refused.catch(error => isRefused(error, 404))).resolves.toBe(true);
});

test('a refusal is told in the words of the server', async () => {
  const client = createClient(saying(409, JSON.stringify({ kind: 'Status', message: 'somebody was faster' })), '');
  await expect(client.send('PUT', '/api/v1/pods/a', {})).rejects.toThrow('PUT /api/v1/pods/a: 409 somebody was faster');
});

test('a success without an object is none', async () => {
  await expect(createClient(saying(200, 'hello'), '').send('GET', '/api')).rejects.toThrow(
    'https://shard.test answered GET /api with no JSON',
  );
});
