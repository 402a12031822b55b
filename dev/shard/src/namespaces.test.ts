import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ask, create, createWorkspace, eventually, patch, startShards, stopShards } from './two-shards.fixture.ts';

let workspace: string;
const at = (path: string): string => `/clusters/${workspace}/api/v1/namespaces${path}`;
const CERTIFICATES = '/n/configmaps/kube-root-ca.crt';
const ACCOUNT = '/n/serviceaccounts/default';

beforeAll(async () => {
  await startShards();
  workspace = await createWorkspace('holder', 'root');
  await create(0, at(''), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } });
});

afterAll(stopShards);

async function found(path: string) {
  const answer = await ask(0, at(path));
  expect(answer.status).toBe(200);
  return answer.json();
}

describe('what every namespace has', () => {
  test('tells pods how to verify the server, and gives them an account', async () => {
    expect(await eventually(() => found(CERTIFICATES))).toMatchObject({
      metadata: { annotations: { 'kubernetes.io/description': expect.stringMatching(/^Contains a CA bundle/) } },
      data: { 'ca.crt': expect.stringContaining('BEGIN CERTIFICATE') },
    });
    await eventually(() => found(ACCOUNT));
  });

  test('comes back when it is deleted, but for the account', async () => {
    const { metadata } = await eventually(() => found(CERTIFICATES));
    for (const path of [ACCOUNT, CERTIFICATES]) await ask(0, at(path), { method: 'DELETE' });
    await eventually(async () => expect((await found(CERTIFICATES)).metadata.uid).not.toBe(metadata.uid));
  });

  test('is put right when the certificates or their description are changed', async () => {
    const { data } = await eventually(() => found(CERTIFICATES));
    const change = { data: { 'ca.crt': 'none', more: 'text' }, metadata: { annotations: { 'kubernetes.io/description': null } } };
    expect((await patch(0, at(CERTIFICATES), change)).status).toBe(200);
    await eventually(async () =>
      expect(await found(CERTIFICATES)).toMatchObject({
        metadata: { annotations: { 'kubernetes.io/description': expect.any(String) } },
        data,
      }),
    );
    expect((await found(CERTIFICATES)).data).toEqual(data);
  });

  test('goes with it for good', async () => {
    await create(0, at(''), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'passing' } });
    await eventually(() => found('/passing/serviceaccounts/default'));
    await ask(0, at('/passing'), { method: 'DELETE' });
    await eventually(async () => expect((await ask(0, at('/passing'))).status).toBe(404));
    expect((await found('/passing/configmaps')).items).toEqual([]);
  });
});
