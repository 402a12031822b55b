import type { Row } from '../row.ts';

/** Claimed resources: path of the version, resource, an object of the first consumer that the claim shows or hides. */
const RESOURCES: readonly (readonly [version: string, resource: string, name: string])[] = [
  ['api/v1', 'configmaps', 'one'],
  ['api/v1', 'secrets', 'secret-one'],
  ['api/v1', 'serviceaccounts', 'with-team'],
  ['api/v1', 'serviceaccounts', 'without-team'],
  ['api/v1', 'events', 'event-one'],
  ['apis/events.k8s.io/v1', 'events', 'event-one'],
  ['api/v1', 'resourcequotas', 'quota-one'],
  ['apis/coordination.k8s.io/v1', 'leases', 'lease-one'],
  ['apis/rbac.authorization.k8s.io/v1', 'roles', 'role-one'],
  ['apis/law.bench.dev/v1alpha1', 'sheriffs', 'wyatt'],
  ['apis/law.bench.dev/v1alpha1', 'deputies', 'virgil'],
  // Not claimed at all.
  ['api/v1', 'pods', 'one'],
  ['apis/rbac.authorization.k8s.io/v1', 'rolebindings', 'one'],
  ['apis/tame.bench.dev/v1alpha1', 'sheep', 'dolly'],
];

const CLUSTERS = ['c1', 'c2', 'c3', 'unbound'];

const namespaced = RESOURCES.flatMap(([version, resource, name]): Row[] => [
  { name: `wildcard ${version}/${resource} (${name})`, path: `/clusters/*/${version}/${resource}` },
  ...CLUSTERS.flatMap(cluster => [
    { name: `${version}/${resource} (${name}) of ${cluster}`, path: `/clusters/{${cluster}}/${version}/${resource}` },
    {
      name: `${version}/${resource}/${name} of ${cluster}`,
      path: `/clusters/{${cluster}}/${version}/namespaces/default/${resource}/${name}`,
    },
  ]),
]);

/** Resources without a namespace. */
const CLUSTER_SCOPED = [
  ['api/v1', 'namespaces', 'default'],
  ['apis/apiextensions.k8s.io/v1', 'customresourcedefinitions', 'cowboys.wild.bench.dev'],
  ['apis/apis.kcp.io/v1alpha1', 'apiresourceschemas', 'today.cowboys.wild.bench.dev'],
  ['apis/apis.kcp.io/v1alpha1', 'apibindings', 'wild'],
  ['apis/apis.kcp.io/v1alpha2', 'apibindings', 'wild'],
  ['apis/apis.kcp.io/v1alpha2', 'apibindings', 'law'],
  ['apis/apis.kcp.io/v1alpha2', 'apibindings', 'tame'],
  ['apis/apis.kcp.io/v1alpha2', 'apibindings', 'nosuch'],
  ['apis/apis.kcp.io/v1alpha2', 'apiexports', 'wild'],
  ['apis/rbac.authorization.k8s.io/v1', 'clusterroles', 'cluster-admin'],
] as const;

const clusterScoped = CLUSTER_SCOPED.flatMap(([version, resource, name]): Row[] =>
  ['wild', 'tame'].flatMap(view => [
    { name: `wildcard ${version}/${resource} (${name}) of ${view}`, view, path: `/clusters/*/${version}/${resource}` },
    ...['c1', 'c2'].flatMap(cluster => [
      {
        name: `${version}/${resource} (${name}) of ${cluster} of ${view}`,
        view,
        path: `/clusters/{${cluster}}/${version}/${resource}`,
      },
      {
        name: `${version}/${resource}/${name} of ${cluster} of ${view}`,
        view,
        path: `/clusters/{${cluster}}/${version}/${resource}/${name}`,
      },
    ]),
  ]),
);

export const claims: readonly Row[] = [
  ...namespaced,
  ...clusterScoped,
  { name: 'masters see a rejected claim', user: 'masters', path: '/clusters/{c1}/apis/rbac.authorization.k8s.io/v1/roles' },
  {
    name: 'masters read a hidden object',
    user: 'masters',
    path: '/clusters/{c1}/api/v1/namespaces/default/serviceaccounts/without-team',
  },
  {
    name: 'masters read a claim that was not accepted',
    user: 'masters',
    path: '/clusters/{c3}/api/v1/namespaces/default/configmaps/one',
  },
  { name: 'masters read secrets', user: 'masters', path: '/clusters/{c1}/api/v1/namespaces/default/secrets/secret-one' },
  { name: 'a selector of the caller and the claim', path: '/clusters/*/api/v1/configmaps?labelSelector=team%3Dred' },
  { name: 'a selector that contradicts the claim', path: '/clusters/*/api/v1/serviceaccounts?labelSelector=team%21%3Dwild' },
  { name: 'pages of claimed objects', path: '/clusters/*/api/v1/configmaps?limit=2', pages: true },
];
