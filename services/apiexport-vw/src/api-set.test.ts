import { describe, expect, test } from '@jest/globals';
import { AT, KEY, listed, setOf } from './api-set.fixture.ts';
import { type ApiSet, apiSetOf } from './api-set.ts';
import { exportAt, schemaAt, sourcesOf } from './apiexport.fixture.ts';
import { claimLabelKey, claimLabelValue, exportHash, REFLEXIVE_VALUE } from './claim-labels.ts';

const LABEL = claimLabelKey(KEY);
const OWN_BINDINGS = `internal.apis.kcp.io/export=${exportHash(KEY)}`;

/** Without the bindings that are always there. */
const keysOf = ({ definitions }: ApiSet): string[] => [...definitions.keys()].filter(key => !key.includes('/apibindings'));

describe('what an export exports', () => {
  test('is nothing at all before it has an identity', () => {
    expect(apiSetOf(exportAt(AT, { identity: '' }), sourcesOf([], []))).toBeUndefined();
  });

  test('is every served version of its schemas, under its own identity and without a selector', () => {
    const versions = [{ name: 'v1' }, { name: 'v1alpha1', served: false }, { name: 'v2' }];
    const set = setOf({ schemas: ['s'] }, { schemas: [schemaAt('provider/s', 'cowboys.dev', { versions })] });
    expect(keysOf(set)).toEqual(['dev/v1/cowboys', 'dev/v2/cowboys']);
    expect(set.definitions.get('dev/v1/cowboys')).toEqual({
      group: 'dev',
      version: 'v1',
      resource: 'cowboys',
      kind: 'Cowboy',
      identity: 'own-identity',
      because: 'exported',
      fingerprint: expect.any(String),
    });
  });

  // The name in the export's list is the author's; what is served is what the schema says.
  test('has the group and resource of the schema', () => {
    const set = setOf({ schemas: ['today.cowboys.dev'] }, { schemas: [schemaAt('provider/today.cowboys.dev', 'sheriffs.org')] });
    expect(keysOf(set)).toEqual(['org/v1/sheriffs']);
  });

  test('is none of the schemas of the same name in other logical clusters', () => {
    const set = setOf({ schemas: ['s'] }, { schemas: [schemaAt('elsewhere/s', 'cowboys.dev')] });
    expect([keysOf(set), set.complete]).toEqual([[], false]);
  });

  test('is complete but for a schema that is missing, and then says so', () => {
    const schemas = [schemaAt('provider/s', 'cowboys.dev')];
    expect(setOf({ schemas: ['s'] }, { schemas }).complete).toBe(true);
    const set = setOf({ schemas: ['s', 'missing'] }, { schemas });
    expect([keysOf(set), set.complete]).toEqual([['dev/v1/cowboys'], false]);
  });

  test('is the later one of two schemas of one resource', () => {
    const schemas = [
      schemaAt('provider/old', 'cowboys.dev', { kind: 'Old' }),
      schemaAt('provider/new', 'cowboys.dev', { kind: 'New' }),
    ];
    expect(setOf({ schemas: ['old', 'new'] }, { schemas }).definitions.get('dev/v1/cowboys')?.kind).toBe('New');
  });
});

describe('what an export claims', () => {
  test('of Kubernetes has no identity, and the label of the claim', () => {
    const claim = { resource: 'configmaps', verbs: ['get'] };
    const { definitions } = setOf({ claims: [claim] });
    expect(definitions.get('/v1/configmaps')).toMatchObject({ select: `${LABEL}=${claimLabelValue(claim)}`, kind: 'ConfigMap' });
    expect(definitions.get('/v1/configmaps')).not.toHaveProperty('identity');
  });

  test('is visible object by object where the object carries the label', () => {
    const definition = setOf({ claims: [{ resource: 'configmaps' }] }).definitions.get('/v1/configmaps');
    const visible = (labels?: Record<string, string>) => definition?.visible?.({ metadata: { ...(labels && { labels }) } });
    const value = claimLabelValue({ resource: 'configmaps' });
    expect([visible({ [LABEL]: value }), visible({ [LABEL]: 'other' }), visible(), definition?.visible?.({})]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test('is all verbs in discovery, whatever verbs are claimed', () => {
    const [configmaps] = listed(setOf({ claims: [{ resource: 'configmaps', verbs: ['get'] }] }), 'configmaps');
    expect(configmaps?.verbs).toHaveLength(8);
  });

  // A review is made and never stored: there is nothing to get or list.
  test('of reviews can only be created', () => {
    const [reviews] = listed(
      setOf({ claims: [{ group: 'authorization.k8s.io', resource: 'subjectaccessreviews' }] }),
      'subjectaccessreviews',
    );
    expect(reviews?.verbs).toEqual(['create']);
  });

  test('of events is both groups, under the one claim that names either', () => {
    for (const group of ['', 'events.k8s.io']) {
      const { definitions } = setOf({ claims: [{ group, resource: 'events' }] });
      const select = `${LABEL}=${claimLabelValue({ group, resource: 'events' })}`;
      expect(definitions.get('/v1/events')).toMatchObject({ select });
      expect(definitions.get('events.k8s.io/v1/events')).toMatchObject({ select });
    }
  });

  test('of events in both groups is what the first claim says', () => {
    const { definitions } = setOf({ claims: [{ resource: 'events' }, { group: 'events.k8s.io', resource: 'events' }] });
    expect(definitions.get('events.k8s.io/v1/events')?.select).toBe(`${LABEL}=${claimLabelValue({ resource: 'events' })}`);
  });

  // The schema is passed over (api-set-shards-own.test.ts), and shadows nothing.
  test('of events opens both groups also when it exports a schema of that name', () => {
    const schemas = [schemaAt('provider/s', 'events.events.k8s.io')];
    const set = setOf({ schemas: ['s'], claims: [{ group: 'events.k8s.io', resource: 'events' }] }, { schemas });
    expect(keysOf(set)).toEqual(['/v1/events', 'events.k8s.io/v1/events']);
    for (const definition of set.definitions.values()) expect(definition).not.toHaveProperty('identity');
  });

  test('is shadowed by what it exports', () => {
    const schemas = [schemaAt('provider/s', 'cowboys.dev')];
    const claims = [{ group: 'dev', resource: 'cowboys', identityHash: 'other' }];
    const others = [exportAt('lender/x', { identity: 'other', schemas: ['t'] })];
    const world = { schemas: [...schemas, schemaAt('lender/t', 'cowboys.dev')], others };
    const definition = setOf({ schemas: ['s'], claims }, world).definitions.get('dev/v1/cowboys');
    expect(definition).toMatchObject({ identity: 'own-identity', because: 'exported' });
    expect(definition).not.toHaveProperty('select');
  });

  test('of kcp’s own group is apiexports, apiresourceschemas and apibindings, in their versions', () => {
    const claims = ['apiexports', 'apiresourceschemas', 'apiexportendpointslices', 'cachedresources'].map(resource => ({
      group: 'apis.kcp.io',
      resource,
    }));
    expect(keysOf(setOf({ claims }))).toEqual([
      'apis.kcp.io/v1alpha1/apiexports',
      'apis.kcp.io/v1alpha2/apiexports',
      'apis.kcp.io/v1alpha1/apiresourceschemas',
    ]);
  });

  // With an identity it looked like a claim to some export's resource: kcp passes over it before it looks at identities.
  test('of kcp’s own group is nothing else by an identity either', () => {
    const others = [exportAt('lender/x', { identity: 'other', schemas: ['t'] })];
    const claims = [{ group: 'apis.kcp.io', resource: 'apiexportendpointslices', identityHash: 'other' }];
    const world = { others, schemas: [schemaAt('lender/t', 'apiexportendpointslices.apis.kcp.io')] };
    expect(keysOf(setOf({ claims }, world))).toEqual([]);
  });
});

describe('what an export claims by an identity', () => {
  const claim = { group: 'wild.west', resource: 'sheriffs', identityHash: 'other' };
  const sheriffs = (at: string, kind = 'Sheriff') => schemaAt(at, 'sheriffs.wild.west', { kind });

  test('is the resource of the export of that identity, by the claimed identity and the label of the claim', () => {
    const others = [exportAt('lender/x', { identity: 'other', schemas: ['t', 'u'] })];
    const set = setOf({ claims: [claim] }, { others, schemas: [sheriffs('lender/t'), schemaAt('lender/u', 'others.wild.west')] });
    expect(keysOf(set)).toEqual(['wild.west/v1/sheriffs']);
    expect(set.definitions.get('wild.west/v1/sheriffs')).toMatchObject({
      identity: 'other',
      select: `${LABEL}=${claimLabelValue(claim)}`,
      because: 'claims sheriffs.wild.west',
    });
  });

  test('is nothing without an identity, of which no export is', () => {
    const others = [exportAt('lender/x', { identity: 'other', schemas: ['t'] })];
    const { identityHash: _, ...unidentified } = claim;
    expect(keysOf(setOf({ claims: [unidentified] }, { others, schemas: [sheriffs('lender/t')] }))).toEqual([]);
  });

  test('is nothing while no export has the identity, or none of those has the resource', () => {
    const others = [exportAt('lender/x', { identity: 'other', schemas: ['t'] })];
    expect(keysOf(setOf({ claims: [claim] }))).toEqual([]);
    expect(keysOf(setOf({ claims: [claim] }, { others, schemas: [schemaAt('lender/t', 'sheriffs.elsewhere')] }))).toEqual([]);
  });

  // Replicas of an export share its identity. Two processes, or one after a relist, must not disagree about which of them counts.
  test('is of the last by name of several exports of that identity, in whatever order these come', () => {
    const others = [
      exportAt('one/a', { identity: 'other', schemas: ['t'] }),
      exportAt('two/b', { identity: 'other', schemas: ['t'] }),
      exportAt('three/c', { identity: 'other', schemas: ['missing'] }),
    ];
    const schemas = [sheriffs('one/t', 'One'), sheriffs('two/t', 'Two')];
    for (const order of [others, [...others].reverse()]) {
      expect(setOf({ claims: [claim] }, { others: order, schemas }).definitions.get('wild.west/v1/sheriffs')?.kind).toBe('Two');
    }
  });

  test('does not make the set incomplete when its schema is missing', () => {
    const others = [exportAt('lender/x', { identity: 'other', schemas: ['missing'] })];
    expect(setOf({ claims: [claim] }, { others }).complete).toBe(true);
  });
});

describe('the bindings of an export', () => {
  const both = (set: ApiSet) =>
    ['v1alpha1', 'v1alpha2'].map(version => set.definitions.get(`apis.kcp.io/${version}/apibindings`));

  test('are always served, in both versions, to read, by the label of the export', () => {
    const set = setOf({});
    expect(both(set)).toEqual([
      expect.objectContaining({ select: OWN_BINDINGS, kind: 'APIBinding' }),
      expect.objectContaining({ select: OWN_BINDINGS, kind: 'APIBinding' }),
    ]);
    expect(set.apis.map(api => [api.name, api.verbs])).toEqual([
      ['apibindings', ['get', 'list', 'watch']],
      ['apibindings', ['get', 'list', 'watch']],
    ]);
  });

  test('if claimed are all that the claim reaches beside its own, with all verbs and their status', () => {
    const claim = { group: 'apis.kcp.io', resource: 'apibindings' };
    const set = setOf({ claims: [claim] });
    const select = `${LABEL} in (${[claimLabelValue(claim), REFLEXIVE_VALUE].sort().join(',')})`;
    expect(both(set).map(definition => definition?.select)).toEqual([select, select]);
    expect(set.apis.map(api => [api.name, api.verbs?.length])).toEqual([
      ['apibindings', 8],
      ['apibindings/status', 3],
      ['apibindings', 8],
      ['apibindings/status', 3],
    ]);
  });

  test('if claimed are seen by either label', () => {
    const claim = { group: 'apis.kcp.io', resource: 'apibindings' };
    const [definition] = both(setOf({ claims: [claim] }));
    const visible = (value: string) => definition?.visible?.({ metadata: { labels: { [LABEL]: value } } });
    expect([visible(claimLabelValue(claim)), visible(REFLEXIVE_VALUE), visible('other')]).toEqual([true, true, false]);
  });

  // A shard strips the identity from a request to one logical cluster: by a schema of that name an export would have read every binding of
  // its consumers, those of other exports too.
  test('are never hidden by a schema of their name that the export exports', () => {
    const schemas = [schemaAt('provider/s', 'apibindings.apis.kcp.io', { versions: [{ name: 'v1alpha2' }] })];
    for (const claims of [[], [{ group: 'apis.kcp.io', resource: 'apibindings' }]]) {
      for (const definition of both(setOf({ schemas: ['s'], claims }, { schemas }))) {
        const labels = claims.length === 0 ? OWN_BINDINGS : expect.stringContaining(claimLabelKey(KEY));
        expect(definition).toMatchObject({ select: labels });
        expect(definition).not.toHaveProperty('identity');
      }
    }
  });
});
