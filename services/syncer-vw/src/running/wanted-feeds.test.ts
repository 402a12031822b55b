import { expect, test } from '@jest/globals';
import type { ApiResourceSchema } from '@kcp-vw/shared/kube/resource-schema.ts';
import type { KnownExport } from '../knowledge/knowledge.ts';
import { wantedFeeds } from './wanted-feeds.ts';

const schema = (group: string, plural: string, scope: 'Namespaced' | 'Cluster', ...versions: string[]): ApiResourceSchema => ({
  metadata: { name: `v1.${plural}` },
  spec: {
    group,
    scope,
    names: { plural, kind: plural },
    versions: versions.map(name => ({ name, served: name !== 'v3', storage: false })),
  },
});
const exportOf = (name: string, ...schemas: ApiResourceSchema[]): KnownExport => ({
  cluster: 'compute',
  name,
  identityHash: `hash-of-${name}`,
  schemas,
});
const idsOf = (compute: KnownExport | undefined, exports: readonly KnownExport[], bases: Record<string, string>): string[] => [
  ...wantedFeeds({ bases: () => new Map(Object.entries(bases)) }, { list: () => exports, compute: () => compute }).keys(),
];

test('what is claimed and what an export has is followed on every shard, in the best version that is served', () => {
  const compute = exportOf('kubernetes', schema('apps', 'deployments', 'Namespaced', 'v1beta1', 'v3', 'v2', 'v1'));
  const of = (base: string) =>
    ['/v1/configmaps', '/v1/namespaces', '/v1/secrets', '/v1/serviceaccounts', 'apps/v2/deployments'].map(
      resource => `${base}/services/apiexport/compute/kubernetes ${resource}`,
    );
  expect(idsOf(compute, [compute], { a: 'https://a', b: 'https://b', c: 'https://a' })).toEqual([
    ...of('https://a'),
    ...of('https://b'),
  ]);
});

test('what has no namespace is followed only if it is volumes', () => {
  const others = exportOf('more', schema('', 'persistentvolumes', 'Cluster', 'v1'), schema('x.dev', 'things', 'Cluster', 'v1'));
  expect(idsOf(undefined, [others], { a: 'https://a' })).toEqual([
    'https://a/services/apiexport/compute/more /v1/persistentvolumes',
  ]);
});

test('an export cannot put something else in the place of what is claimed, and what it does not serve is none', () => {
  const bad = exportOf('bad', schema('', 'secrets', 'Namespaced', 'v1'), schema('x.dev', 'things', 'Namespaced', 'v3'));
  expect(idsOf(undefined, [bad], { a: 'https://a' })).toEqual([]);
});
