import { describe, expect, test } from '@jest/globals';
import { AT, setOf } from './api-set.fixture.ts';
import { apiSetOf } from './api-set.ts';
import { bindingAt, exportAt, schemaAt, sourcesOf } from './apiexport.fixture.ts';
import { isBound } from './bindings.ts';
import { claimLabelKey } from './claim-labels.ts';

/**
 * The attack: a tenant makes an APIResourceSchema for `secrets` of the legacy group in his own workspace, exports it, and lists it over all
 * logical clusters through the export's view. A shard strips the identity from the name of a resource that it has by itself, so that
 * `secrets:<identity>` are everybody's Secrets, asked for as the service. Nobody has to bind anything. kcp's own server falls for it.
 */
describe('a schema of a resource that the shard has by itself', () => {
  test.each([
    'secrets.',
    'clusterroles.rbac.authorization.k8s.io',
    'logicalclusters.core.kcp.io',
    'customresourcedefinitions.apiextensions.k8s.io',
  ])('as the claimable %s is not served by exporting it', of => {
    const set = setOf({ schemas: ['s'] }, { schemas: [schemaAt('provider/s', of)] });
    expect([...(set?.definitions.values() ?? [])].map(({ resource }) => resource)).toEqual(['apibindings', 'apibindings']);
  });

  test.each(['apiexports.apis.kcp.io', 'apiexportendpointslices.apis.kcp.io', 'unheardof.apis.kcp.io'])(
    "of kcp's own group, %s, is not served by exporting it",
    of => {
      const set = setOf({ schemas: ['s'] }, { schemas: [schemaAt('provider/s', of)] });
      expect(set?.apis.map(({ name }) => name)).toEqual(['apibindings', 'apibindings']);
    },
  );

  test('that nobody may claim, but its discovery shows, is not served by exporting it', () => {
    const sources = {
      ...sourcesOf([], [schemaAt('provider/s', 'cachedresources.cache.kcp.io')]),
      isShardsOwn: (group: string, resource: string) => group === 'cache.kcp.io' && resource === 'cachedresources',
    };
    const set = apiSetOf(exportAt(AT, { schemas: ['s'] }), sources);
    expect(set?.apis.map(({ name }) => name)).toEqual(['apibindings', 'apibindings']);
  });

  test('does not keep the resource from being claimed, with the label of the claim', () => {
    const claims = [{ group: '', resource: 'secrets', verbs: ['list'] }];
    const set = setOf({ schemas: ['s'], claims }, { schemas: [schemaAt('provider/s', 'secrets.')] });
    const definition = set?.definitions.get('/v1/secrets');
    expect(definition?.identity).toBeUndefined();
    expect(definition?.select).toContain(claimLabelKey({ cluster: 'provider', name: 'cowboys.dev' }));
  });

  test('does not count as bound: the consumer would have to accept the claim', () => {
    const binding = bindingAt('consumer/b', AT, { bound: ['secrets.', 'cowboys.dev'] });
    expect(isBound(binding, '', 'secrets')).toBe(false);
    expect(isBound(binding, 'dev', 'cowboys')).toBe(true);
  });
});
