/** What the registration of virtual workspaces needs of a shard: a CRD in root, applied statuses, and rights by name. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ask, create, eventually, startShards, stopShards } from './two-shards.fixture.ts';

const ROOT = '/clusters/root';
const NAMESPACE = `${ROOT}/api/v1/namespaces/views`;
const RBAC = 'rbac.authorization.k8s.io/v1';
const REGISTRIES = `${ROOT}/apis/example.dev/v1alpha1/registries`;
const LEASES = `${ROOT}/apis/coordination.k8s.io/v1/namespaces/views/leases`;

const endpoints = {
  ...{ type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['instance'] },
  items: { type: 'object', required: ['instance'], properties: { instance: { type: 'string' }, url: { type: 'string' } } },
};
const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'registries.example.dev' },
  spec: {
    ...{ group: 'example.dev', scope: 'Cluster', names: { kind: 'Registry', listKind: 'RegistryList', plural: 'registries' } },
    versions: [
      {
        ...{ name: 'v1alpha1', served: true, storage: true, subresources: { status: {} } },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { path: { type: 'string' } } },
              status: { type: 'object', properties: { endpoints } },
            },
          },
        },
      },
    ],
  },
};

let token: string;

const asAdmin = async (path: string, body: object) =>
  expect((await ask('front proxy', path, { method: 'POST', body })).status).toBe(201);
const registry = (name: string) => ({ apiVersion: 'example.dev/v1alpha1', kind: 'Registry', metadata: { name } });
const lease = (name: string) => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name } });
/** An apply by the service account. */
const apply = (path: string, manager: string, body: object) =>
  ask(0, `${path}?fieldManager=${manager}&force=true`, {
    ...{ method: 'PATCH', body, contentType: 'application/apply-patch+yaml', token },
  });
const applyEndpoint = (name: string, instance: string) =>
  apply(`${REGISTRIES}/${name}/status`, instance, {
    ...registry(name),
    status: { endpoints: [{ instance, url: `https://${instance}` }] },
  });

beforeAll(async () => {
  await startShards();
  await asAdmin(`${ROOT}/apis/apiextensions.k8s.io/v1/customresourcedefinitions`, CRD);
  await eventually(async () => expect((await ask('front proxy', REGISTRIES)).status).toBe(200));
  for (const name of ['mine', 'others']) await asAdmin(REGISTRIES, registry(name));
  await asAdmin(`${ROOT}/api/v1/namespaces`, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'views' } });
  await asAdmin(`${NAMESPACE}/serviceaccounts`, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'service' } });
  const subjects = [{ kind: 'ServiceAccount', name: 'service', namespace: 'views' }];
  const grant = async (prefix: string, kind: 'Role' | 'ClusterRole', rule: object): Promise<void> => {
    const at = `${ROOT}/apis/${RBAC}${prefix}`;
    const plural = `${kind.toLowerCase()}s`;
    await asAdmin(`${at}/${plural}`, { apiVersion: RBAC, kind, metadata: { name: 'service' }, rules: [rule] });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name: 'service' };
    const binding = { apiVersion: RBAC, kind: `${kind}Binding`, metadata: { name: 'service' }, roleRef, subjects };
    await asAdmin(`${at}/${kind.toLowerCase()}bindings`, binding);
  };
  const mine = { apiGroups: ['example.dev'], resources: ['registries', 'registries/status'], resourceNames: ['mine'] };
  await grant('', 'ClusterRole', { ...mine, verbs: ['get', 'patch'] });
  const leases = { apiGroups: ['coordination.k8s.io'], resources: ['leases'] };
  await grant('/namespaces/views', 'Role', { ...leases, resourceNames: ['one', 'two'], verbs: ['patch'] });
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  token = (await create(0, `${NAMESPACE}/serviceaccounts/service/token`, request)).status.token;
});

afterAll(stopShards);

describe('a service account that may write one object by its name', () => {
  test('applies its part of the status, beside those of others', async () => {
    expect((await applyEndpoint('mine', 'one')).status).toBe(200);
    const { status, metadata } = (await applyEndpoint('mine', 'two')).json();
    expect(status.endpoints).toEqual([
      { instance: 'one', url: 'https://one' },
      { instance: 'two', url: 'https://two' },
    ]);
    expect(metadata.managedFields).toMatchObject([
      { manager: 'one', operation: 'Apply', subresource: 'status' },
      { manager: 'two', operation: 'Apply', subresource: 'status' },
    ]);
    const left = (await apply(`${REGISTRIES}/mine/status`, 'one', registry('mine'))).json();
    expect(left.status.endpoints).toEqual([{ instance: 'two', url: 'https://two' }]);
  });

  test('may write no other', async () => {
    expect((await applyEndpoint('others', 'one')).status).toBe(403);
    expect((await ask(0, REGISTRIES, { token })).status).toBe(403);
  });
});

describe('a lease', () => {
  test('is not made by whoever may patch it only, since an apply that makes it is a creation', async () => {
    const refused = await apply(`${LEASES}/one`, 'one', lease('one'));
    expect(refused.json()).toMatchObject({ code: 403, message: expect.stringContaining('cannot create resource "leases"') });
    await asAdmin(LEASES, lease('one'));
    expect((await apply(`${LEASES}/one`, 'one', { ...lease('one'), spec: { holderIdentity: 'one' } })).status).toBe(200);
  });

  test('is made by whoever may create it, by its name', async () => {
    const role = `${ROOT}/apis/${RBAC}/namespaces/views/roles/service`;
    const rules = [
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: ['two'], verbs: ['create', 'patch'] },
    ];
    const granted = { method: 'PATCH', body: { rules }, contentType: 'application/merge-patch+json' };
    expect((await ask(0, role, granted)).status).toBe(200);
    expect((await apply(`${LEASES}/two`, 'two', lease('two'))).status).toBe(201);
    expect((await apply(`${LEASES}/three`, 'three', lease('three'))).status).toBe(403);
  });
});
