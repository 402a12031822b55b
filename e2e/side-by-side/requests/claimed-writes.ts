/** Writes of what is claimed, and of what has no namespace. */
import type { Row } from '../row.ts';
import { APPLY, MERGE, STRATEGIC, WRITES, write } from './claimed-write.ts';

const maps = `${WRITES}/configmaps`;

const configMap = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
  data: { a: 'b' },
});
const configMaps: readonly Row[] = [
  write('configmap: create', maps, 'cm-1', { method: 'POST', body: configMap('cm-1-{copy}') }),
  write('configmap: create with an unknown field', maps, 'cm-2', {
    method: 'POST',
    body: { ...configMap('cm-2-{copy}'), more: 1 },
  }),
  write('configmap: create with an unknown field, Strict', maps, 'cm-3', {
    method: 'POST',
    query: '?fieldValidation=Strict',
    body: { ...configMap('cm-3-{copy}'), more: 1 },
  }),
  write('configmap: create with a wrong type', maps, 'cm-4', {
    method: 'POST',
    body: { ...configMap('cm-4-{copy}'), data: { a: 1 } },
  }),
  write('configmap: update', maps, 'cm-5', {
    method: 'PUT',
    before: configMap('cm-5-{copy}'),
    body: { ...configMap('cm-5-{copy}'), data: { a: 'c' } },
  }),
  write('configmap: update of what is missing', maps, 'cm-6', { method: 'PUT', body: configMap('cm-6-{copy}') }),
  write('configmap: merge', maps, 'cm-7', {
    method: 'PATCH',
    before: configMap('cm-7-{copy}'),
    body: { data: { a: 'c' } },
    contentType: MERGE,
  }),
  write('configmap: strategic merge', maps, 'cm-8', {
    method: 'PATCH',
    before: configMap('cm-8-{copy}'),
    body: { data: { a: 'c' } },
    contentType: STRATEGIC,
  }),
  write('configmap: apply', maps, 'cm-9', {
    method: 'PATCH',
    query: '?fieldManager=x&force=true',
    before: configMap('cm-9-{copy}'),
    body: configMap('cm-9-{copy}'),
    contentType: APPLY,
  }),
  write('configmap: apply what is missing', maps, 'cm-10', {
    method: 'PATCH',
    query: '?fieldManager=x',
    body: configMap('cm-10-{copy}'),
    contentType: APPLY,
  }),
  write('configmap: merge the label of the claim away', maps, 'cm-11', {
    method: 'PATCH',
    before: configMap('cm-11-{copy}'),
    body: { metadata: { labels: null } },
    contentType: MERGE,
  }),
  write('configmap: delete', maps, 'cm-12', { method: 'DELETE', before: configMap('cm-12-{copy}') }),
  write('configmap: create immutable', maps, 'cm-13', {
    method: 'POST',
    body: { ...configMap('cm-13-{copy}'), immutable: true },
  }),
  write('configmap: change immutable', maps, 'cm-14', {
    method: 'PATCH',
    before: { ...configMap('cm-14-{copy}'), immutable: true },
    body: { data: { a: 'c' } },
    contentType: MERGE,
  }),
];

const REVIEWS = '/clusters/{c1}/apis/authorization.k8s.io/v1';
const review = { resourceAttributes: { verb: 'get', resource: 'configmaps', namespace: 'default' }, user: 'sbs-nobody' };

const others: readonly Row[] = [
  {
    name: 'secret: create without the verb',
    method: 'POST',
    path: `${WRITES}/secrets`,
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's-{copy}' } },
  },
  write('lease: create', '/clusters/{c1}/apis/coordination.k8s.io/v1/namespaces/writes/leases', 'le-1', {
    method: 'POST',
    body: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'le-1-{copy}' },
      spec: { holderIdentity: 'x' },
    },
  }),
  write('event: create', `${WRITES}/events`, 'ev-1', {
    method: 'POST',
    body: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'ev-1-{copy}' },
      involvedObject: { kind: 'ConfigMap', name: 'x', namespace: 'writes' },
      reason: 'R',
      message: 'm',
      type: 'Normal',
    },
  }),
  {
    name: 'namespace: create',
    method: 'POST',
    path: '/clusters/{c1}/api/v1/namespaces',
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns-{copy}' } },
    stored: '/clusters/{c1}/api/v1/namespaces/ns-{copy}',
  },
  {
    name: 'review: create',
    method: 'POST',
    path: `${REVIEWS}/subjectaccessreviews`,
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec: review },
  },
  {
    name: 'local review: create',
    method: 'POST',
    path: `${REVIEWS}/namespaces/default/localsubjectaccessreviews`,
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'LocalSubjectAccessReview',
      metadata: { namespace: 'default' },
      spec: review,
    },
  },
  { name: 'review: list', path: `${REVIEWS}/subjectaccessreviews` },
  {
    name: 'review: incomplete',
    method: 'POST',
    path: `${REVIEWS}/subjectaccessreviews`,
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec: {} },
  },
  write('sheriff: create without the policy', '/clusters/{c1}/apis/law.bench.dev/v1alpha1/namespaces/writes/sheriffs', 'sh-1', {
    method: 'POST',
    body: { apiVersion: 'law.bench.dev/v1alpha1', kind: 'Sheriff', metadata: { name: 'sh-1-{copy}' } },
  }),
  write('sheriff: create by masters', '/clusters/{c1}/apis/law.bench.dev/v1alpha1/namespaces/writes/sheriffs', 'sh-2', {
    method: 'POST',
    user: 'masters',
    body: { apiVersion: 'law.bench.dev/v1alpha1', kind: 'Sheriff', metadata: { name: 'sh-2-{copy}' } },
  }),
  write('deputy: create', '/clusters/{c1}/apis/law.bench.dev/v1alpha1/namespaces/writes/deputies', 'de-1', {
    method: 'POST',
    body: { apiVersion: 'law.bench.dev/v1alpha1', kind: 'Deputy', metadata: { name: 'de-1-{copy}' } },
  }),
  write('ranch: create', '/clusters/{c1}/apis/wild.bench.dev/v1alpha1/ranches', 'ra-1', {
    method: 'POST',
    body: { apiVersion: 'wild.bench.dev/v1alpha1', kind: 'Ranch', metadata: { name: 'ra-1-{copy}' } },
  }),
  write('ranch: delete', '/clusters/{c1}/apis/wild.bench.dev/v1alpha1/ranches', 'ra-2', {
    method: 'DELETE',
    before: { apiVersion: 'wild.bench.dev/v1alpha1', kind: 'Ranch', metadata: { name: 'ra-2-{copy}' } },
  }),
  write('other version: create', '/clusters/{c1}/apis/wild.bench.dev/v1alpha1/namespaces/writes/cowboys', 'ov-1', {
    method: 'POST',
    body: { apiVersion: 'wild.bench.dev/v1alpha1', kind: 'Cowboy', metadata: { name: 'ov-1-{copy}' }, spec: { intent: 'x' } },
  }),
  {
    name: 'cowboy: create in a namespace that is missing',
    method: 'POST',
    path: '/clusters/{c1}/apis/wild.bench.dev/v1/namespaces/nowhere/cowboys',
    body: { apiVersion: 'wild.bench.dev/v1', kind: 'Cowboy', metadata: { name: 'nn-{copy}' }, spec: { intent: 'x' } },
  },
  {
    name: 'binding: create without the right to bind',
    method: 'POST',
    view: 'tame',
    path: '/clusters/{c1}/apis/apis.kcp.io/v1alpha2/apibindings',
    body: {
      apiVersion: 'apis.kcp.io/v1alpha2',
      kind: 'APIBinding',
      metadata: { name: 'bare-{copy}' },
      spec: { reference: { export: { path: '{homePath}', name: 'bare' } } },
    },
  },
  {
    name: 'binding: merge labels',
    method: 'PATCH',
    view: 'tame',
    path: '/clusters/{c1}/apis/apis.kcp.io/v1alpha2/apibindings/wild?dryRun=All',
    body: { metadata: { labels: { a: 'b' } } },
    contentType: MERGE,
  },
  {
    name: 'schema: create',
    method: 'POST',
    path: '/clusters/{c1}/apis/apis.kcp.io/v1alpha1/apiresourceschemas',
    body: {
      apiVersion: 'apis.kcp.io/v1alpha1',
      kind: 'APIResourceSchema',
      metadata: { name: 'v1.things.x-{copy}.dev' },
      spec: {
        group: 'x-{copy}.dev',
        names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
        scope: 'Cluster',
        versions: [{ name: 'v1', served: true, storage: true, schema: { type: 'object' } }],
      },
    },
  },
];

export const claimedWrites: readonly Row[] = [...configMaps, ...others];
