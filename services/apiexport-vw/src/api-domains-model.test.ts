import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createApiDomains, EXPORT_INDEXES } from './api-domains.ts';
import { type ApiSet, apiSetOf } from './api-set.ts';
import { exportAt, LiveInformer, ORDINARY_SHARD, schemaAt } from './apiexport.fixture.ts';
import type { ApiExport, ApiResourceSchema, PermissionClaim } from './apis-kcp-io.ts';

const CLUSTERS = ['one', 'two'];
const EXPORTS = ['e', 'f'];
const SCHEMAS = ['s', 't'];
const IDENTITIES = ['', 'red', 'blue'];
const RESOURCES = ['cowboys.dev', 'sheriffs.dev', 'events.events.k8s.io', 'apibindings.apis.kcp.io'];

const at = (names: readonly string[]) =>
  fc.tuple(fc.constantFrom(...CLUSTERS), fc.constantFrom(...names)).map(parts => parts.join('/'));

const claim: fc.Arbitrary<PermissionClaim> = fc
  .tuple(fc.constantFrom('configmaps.', 'events.', ...RESOURCES), fc.constantFrom(...IDENTITIES))
  .map(([name, identityHash]) => {
    const [resource = '', ...group] = name.split('.');
    return { group: group.join('.'), resource, ...(identityHash && { identityHash }) };
  });

const exported = fc
  .record({
    at: at(EXPORTS),
    identity: fc.constantFrom(...IDENTITIES),
    schemas: fc.uniqueArray(fc.constantFrom(...SCHEMAS)),
    claims: fc.uniqueArray(claim, { maxLength: 3, selector: one => `${one.resource}.${one.group}` }),
  })
  .map(({ at, ...parts }) => ({ kind: 'put export' as const, at, parts }));

const schema = fc
  .record({ at: at(SCHEMAS), of: fc.constantFrom(...RESOURCES), uid: fc.constantFrom('u', 'v') })
  .map(({ at, of, uid }) => ({ kind: 'put schema' as const, at, of, uid }));

const event = fc.oneof(
  exported,
  schema,
  at(EXPORTS).map(name => ({ kind: 'remove export' as const, at: name })),
  at(SCHEMAS).map(name => ({ kind: 'remove schema' as const, at: name })),
  at(EXPORTS).map(name => ({ kind: 'ask' as const, at: name })),
  fc.constant({ kind: 'turn' as const, at: '' }),
);

const plain = (set: ApiSet | undefined) => set && { apis: set.apis, complete: set.complete, definitions: fingerprints(set) };
const fingerprints = ({ definitions }: ApiSet) => [...definitions].map(([key, { fingerprint }]) => [key, fingerprint]);

// Which event touches which export's set is decided by logical clusters and identities, before and after: one that is forgotten would be
// served from before for ever.
test('after any events every set is what it would be if it were computed for the first time, and every follower knows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 25 }), async events => {
      const exports = new LiveInformer<ApiExport>(EXPORT_INDEXES);
      const schemas = new LiveInformer<ApiResourceSchema>();
      const domains = createApiDomains({
        shardResources: ORDINARY_SHARD,
        exports,
        schemas,
        openapi: () => undefined,
        patience: 0,
      });
      const followed: { key: { cluster: string; name: string }; definitionKey: string; definition: object; told: number }[] = [];

      for (const one of events) {
        const [cluster = '', name = ''] = one.at.split('/');
        if (one.kind === 'put export') exports.put(exportAt(one.at, one.parts));
        if (one.kind === 'put schema') schemas.put(schemaAt(one.at, one.of, { uid: one.uid }));
        if (one.kind === 'remove export') exports.remove(cluster, name);
        if (one.kind === 'remove schema') schemas.remove(cluster, name);
        if (one.kind === 'turn') await nextTurn();
        if (one.kind === 'ask') {
          const key = { cluster, name };
          const set = await domains.setOf(key);
          for (const [definitionKey, definition] of set?.definitions ?? []) {
            const follower = { key, definitionKey, definition, told: 0 };
            followed.push(follower);
            domains.whenReplaced(key, definition, () => {
              follower.told += 1;
            });
          }
        }
      }
      await nextTurn();

      const sources = {
        schema: (cluster: string, name: string) => schemas.get(cluster, name),
        isShardsOwn: ORDINARY_SHARD.includes,
        exportsOf: domains.exportsOf,
        openapi: () => undefined,
      };
      const sets = new Map<string, ApiSet | undefined>();
      for (const cluster of CLUSTERS) {
        for (const name of EXPORTS) {
          const set = await domains.setOf({ cluster, name });
          const object = exports.get(cluster, name);
          expect(plain(set)).toEqual(plain(object && apiSetOf(object, sources)));
          sets.set(`${cluster}/${name}`, set);
        }
      }
      for (const { key, definitionKey, definition, told } of followed) {
        const isCurrent = sets.get(`${key.cluster}/${key.name}`)?.definitions.get(definitionKey) === definition;
        expect(told).toBe(isCurrent ? 0 : 1);
      }
      domains.stop();
    }),
    { numRuns: 300 },
  );
});
