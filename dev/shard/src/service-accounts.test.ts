import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { create, createWorkspace, startShards, stopShards } from './two-shards.fixture.ts';

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
});
