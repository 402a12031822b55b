import { describe, expect, test } from '@jest/globals';
import { schemaAt } from '@kcp-vw/shared/view/schema-resources.fixture.ts';
import type { SyncTarget } from '../controllers/sync-target.ts';
import type { KnownExport } from '../knowledge/knowledge.ts';
import { type ApiFlavour, SYNCER, UPSYNCER } from './api-flavour.ts';
import { apiSetOf, offerTo } from './api-set.ts';
import { ALL_OF_COMPUTE, accepted, COMPUTE, exportOf, targetAt } from './view.fixture.ts';

interface Known {
  readonly spec?: SyncTarget['spec'];
  readonly status?: SyncTarget['status'];
  readonly exports?: Readonly<Record<string, KnownExport>>;
  readonly compute?: KnownExport | undefined;
  readonly flavour?: ApiFlavour;
}

const BY_NAME = { 'root:compute/kubernetes': COMPUTE };

function setOf({ exports = BY_NAME, flavour = SYNCER, ...known }: Known = {}) {
  const compute = 'compute' in known ? known.compute : COMPUTE;
  const lookup: Readonly<Record<string, KnownExport>> = exports;
  const target = targetAt('edge/west', known);
  const find = (workspace: string, name: string) => lookup[`${workspace}/${name}`];
  return apiSetOf(offerTo(target, { find, compute: () => compute }, flavour), flavour);
}

const listed = (known?: Known): string[] =>
  setOf(known).apis.map(({ group, version, name, verbs }) => `${group || 'core'}/${version} ${name} ${verbs}`);
const namesOf = (known?: Known): string[] => setOf(known).apis.map(({ group, name }) => `${name}${group && `.${group}`}`);

const VERBS = 'get,list,patch,update,watch';
const BUILT_IN = ['configmaps', 'namespaces', 'namespaces/status', 'secrets', 'serviceaccounts'];
const COWBOYS = schemaAt('edge/c', 'cowboys.dev', { versions: [{ subresources: { status: {}, scale: {} } }] });
const cowboysOf = (at: string, identity: string): KnownExport => exportOf(at, [COWBOYS], identity);

describe('what a syncer is served', () => {
  test('1: is what is built in, and what it has accepted of the compute export', () => {
    expect(listed({ status: { syncedResources: ALL_OF_COMPUTE.slice(0, 3) } })).toEqual([
      `core/v1 configmaps ${VERBS}`,
      `core/v1 namespaces ${VERBS}`,
      'core/v1 namespaces/status get,patch,update',
      `core/v1 secrets ${VERBS}`,
      `core/v1 serviceaccounts ${VERBS}`,
      `core/v1 services ${VERBS}`,
      'core/v1 services/status get,patch,update',
      `apps/v1 deployments ${VERBS}`,
      'apps/v1 deployments/status get,patch,update',
      `networking.k8s.io/v1 ingresses ${VERBS}`,
      'networking.k8s.io/v1 ingresses/status get,patch,update',
    ]);
  });

  test('2: is of another export that one’s resource instead, without its scale', () => {
    const known = {
      spec: { supportedAPIExports: [{ export: 'wild' }] },
      status: { syncedResources: accepted('cowboys.dev:own') },
      exports: { 'edge/wild': cowboysOf('edge/wild', 'own') },
    };
    expect(namesOf(known)).toEqual([...BUILT_IN, 'cowboys.dev', 'cowboys/status.dev']);
  });

  test('69: is nothing that it has not accepted', () => {
    const states = (['Pending', 'Incompatible', undefined] as const).map((state, index) => ({
      ...{ group: '', resource: ['services', 'persistentvolumes', 'pods'][index] ?? '', versions: ['v1'], identityHash: 'kube' },
      ...(state && { state }),
    }));
    expect(namesOf({ status: { syncedResources: states } })).toEqual(BUILT_IN);
    expect(namesOf({ status: {} })).toEqual(BUILT_IN);
  });

  test('is nothing that another identity has', () => {
    expect(namesOf({ status: { syncedResources: accepted('services:other') } })).toEqual(BUILT_IN);
  });

  test('is every version that is served, whichever the target names', () => {
    const versions = [{ name: 'v1' }, { name: 'v2', storage: false }, { name: 'v3', storage: false, served: false }];
    const known = {
      spec: { supportedAPIExports: [{ export: 'wild' }] },
      status: { syncedResources: accepted('cowboys.dev:own') },
      exports: { 'edge/wild': exportOf('edge/wild', [schemaAt('edge/c', 'cowboys.dev', { versions })], 'own') },
    };
    expect(setOf(known).apis.filter(({ group }) => group === 'dev')).toMatchObject([{ version: 'v1' }, { version: 'v2' }]);
    expect(setOf(known).routes.get('dev/v2/cowboys')).toMatchObject({ customKind: 'Cowboy', of: { apiVersion: 'dev/v2' } });
  });

  test('are no pods and no endpoints, but volumes', () => {
    const endpoints = schemaAt('compute/e', 'endpoints', { kind: 'Endpoints' });
    const known = {
      exports: { 'root:compute/kubernetes': exportOf('compute/kubernetes', [...COMPUTE.schemas, endpoints], 'kube') },
      status: { syncedResources: accepted('pods', 'endpoints', 'persistentvolumes', 'endpoints.other') },
    };
    expect(namesOf(known)).toEqual([...BUILT_IN, 'persistentvolumes', 'persistentvolumes/status'].sort());
  });

  // By such a schema Secrets would be asked for through the export of whoever has made it.
  test('is never an export’s word for what is built in', () => {
    const known = {
      spec: { supportedAPIExports: [{ export: 'wild' }] },
      status: { syncedResources: accepted('secrets:own') },
      exports: { 'edge/wild': exportOf('edge/wild', [schemaAt('edge/s', 'secrets', { kind: 'Cowboy' })], 'own') },
    };
    expect(namesOf(known)).toEqual(BUILT_IN);
    expect(setOf(known).routes.get('/v1/secrets')).toMatchObject({ export: COMPUTE, of: { kind: 'Secret' } });
  });

  // The original left out everything, what is built in too.
  test('is without the exports that are not there, and with the others', () => {
    const references = [
      { path: 'root:gone', export: 'gone' },
      { path: 'root:compute', export: 'kubernetes' },
      { export: 'gone' },
    ];
    const known = { spec: { supportedAPIExports: references }, status: { syncedResources: accepted('services') } };
    expect(namesOf(known)).toEqual([...BUILT_IN, 'services', 'services/status']);
    expect(namesOf({ ...known, exports: {}, compute: undefined })).toEqual(BUILT_IN);
  });

  // The original knew a resource by its name alone: the objects of the one export had the identity of the other.
  test.each([
    ['one', 'other'],
    ['other', 'one'],
  ])('is of two exports with the same resource that of the one named first: %s', (first, second) => {
    const known = {
      spec: { supportedAPIExports: [{ export: first }, { export: second }] },
      status: { syncedResources: accepted('cowboys.dev:other', 'cowboys.dev:one') },
      exports: { 'edge/one': cowboysOf('edge/one', 'one'), 'edge/other': cowboysOf('edge/other', 'other') },
    };
    expect(setOf(known).routes.get('dev/v1/cowboys')).toMatchObject({ export: { name: first, identityHash: first } });
    const onlySecond = { ...known, status: { syncedResources: accepted(`cowboys.dev:${second}`) } };
    expect(setOf(onlySecond).routes.get('dev/v1/cowboys')).toMatchObject({ export: { name: second } });
  });

  test('has columns for Tables', () => {
    const columns = (key: string) =>
      setOf()
        .routes.get(key)
        ?.of.columns.map(({ name }) => name);
    expect(columns('/v1/namespaces')).toEqual(['Status', 'Age']);
    expect(columns('/v1/secrets')).toEqual(['Type', 'Age']);
    expect(columns('/v1/configmaps')).toEqual(['Age']);
    expect(columns('apps/v1/deployments')).toContain('Age');
  });

  test('has a custom resource’s age where its schema has no columns', () => {
    const known = {
      spec: { supportedAPIExports: [{ export: 'wild' }] },
      status: { syncedResources: accepted('cowboys.dev:own') },
      exports: { 'edge/wild': cowboysOf('edge/wild', 'own') },
    };
    expect(setOf(known).routes.get('dev/v1/cowboys')?.of.columns).toMatchObject([{ name: 'Age', type: 'date' }]);
  });
});

describe('what an upsyncer is served', () => {
  const verbs = `create,delete,${VERBS}`;

  test('is what comes from clusters, and nothing that is built in', () => {
    const endpoints = schemaAt('compute/e', 'endpoints', { kind: 'Endpoints' });
    const known = {
      exports: { 'root:compute/kubernetes': exportOf('compute/kubernetes', [...COMPUTE.schemas, endpoints], 'kube') },
      status: { syncedResources: [...ALL_OF_COMPUTE, ...accepted('endpoints')] },
      flavour: UPSYNCER,
    };
    expect(listed(known)).toEqual([
      `core/v1 endpoints ${verbs}`,
      `core/v1 persistentvolumes ${verbs}`,
      'core/v1 persistentvolumes/status get,patch,update',
      `core/v1 pods ${verbs}`,
      'core/v1 pods/status get,patch,update',
    ]);
  });

  test('is nothing of the same name in another group', () => {
    const known = {
      spec: { supportedAPIExports: [{ export: 'wild' }] },
      status: { syncedResources: accepted('pods.dev:own') },
      exports: { 'edge/wild': exportOf('edge/wild', [schemaAt('edge/p', 'pods.dev')], 'own') },
      flavour: UPSYNCER,
    };
    expect(listed(known)).toEqual([]);
  });
});

describe('the definition of a resource', () => {
  const definitionOf = (exported: KnownExport) =>
    setOf({
      spec: { supportedAPIExports: [{ export: 'wild' }] },
      status: { syncedResources: accepted(`cowboys.dev:${exported.identityHash}`) },
      exports: { 'edge/wild': exported },
    }).routes.get('dev/v1/cowboys')?.definition;

  test('stays while its export changes elsewhere', () => {
    const more = exportOf('edge/wild', [COWBOYS, schemaAt('edge/s', 'sheriffs.dev')], 'own');
    expect(definitionOf(more)).toBe(definitionOf(cowboysOf('edge/wild', 'own')));
  });

  test.each([
    ['another schema', exportOf('edge/wild', [schemaAt('edge/c', 'cowboys.dev', { uid: 'new' })], 'own')],
    ['another identity', cowboysOf('edge/wild', 'other')],
    ['another export', cowboysOf('edge/west', 'own')],
  ])('is another one with %s', (_, exported) => {
    expect(definitionOf(exported)).not.toBe(definitionOf(cowboysOf('edge/wild', 'own')));
  });
});
