import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ask, create, createWorkspace, eventually, startShards, stopShards } from './two-shards.fixture.ts';

let provider: string;
let consumer: string;

beforeAll(async () => {
  await startShards();
  provider = await createWorkspace('provider', 'root');
  consumer = await createWorkspace('consumer', 'shard-1');
});

afterAll(stopShards);

describe('a service account', () => {
  test('is known by its token on every shard, under its global name elsewhere', async () => {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'controller' } };
    const accounts = `/clusters/${provider}/api/v1/namespaces/default/serviceaccounts`;
    await create(0, accounts, account);
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } };
    const { token } = (await create(0, `${accounts}/controller/token`, request)).status;
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
    const { status } = await create(1, `/clusters/${consumer}/apis/authentication.k8s.io/v1/tokenreviews`, review);
    expect(status).toMatchObject({ authenticated: true, user: { username: 'system:serviceaccount:default:controller' } });
    const { username: user, groups, extra } = status.user;
    const name = `system:kcp:serviceaccount:${provider}:default:controller`;
    const rbac = 'rbac.authorization.k8s.io';
    await create(1, `/clusters/${consumer}/apis/${rbac}/v1/clusterrolebindings`, {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'foreign' },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: rbac, kind: 'User', name }],
    });
    const resourceAttributes = { verb: 'list', resource: 'configmaps' };
    const access = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' };
    const reviews = `/clusters/${consumer}/apis/authorization.k8s.io/v1/subjectaccessreviews`;
    const answer = await create(1, reviews, { ...access, spec: { user, groups, extra, resourceAttributes } });
    expect(answer.status).toMatchObject({ allowed: true });
  });

  test('is nobody when it has been deleted, or the Secret that its token is in', async () => {
    const accounts = `/clusters/${provider}/api/v1/namespaces/default`;
    await create(0, `${accounts}/serviceaccounts`, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'passing' } });
    const annotations = { 'kubernetes.io/service-account.name': 'passing' };
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: { name: 'token', annotations },
    };
    await create(0, `${accounts}/secrets`, secret);
    const token = await eventually(async () => {
      const { data } = (await ask(0, `${accounts}/secrets/token`)).json() as { data?: { token?: string } };
      expect(data?.token).toBeDefined();
      return Buffer.from(data?.token ?? '', 'base64').toString();
    });
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
    const reviews = `/clusters/${consumer}/apis/authentication.k8s.io/v1/tokenreviews`;
    expect((await create(1, reviews, review)).status).toMatchObject({ authenticated: true });
    expect((await ask(0, `${accounts}/secrets/token`, { method: 'DELETE' })).status).toBe(200);
    expect((await create(1, reviews, review)).status.authenticated).not.toBe(true);
  });
});
