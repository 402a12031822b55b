import { describe, expect, test } from '@jest/globals';
import { bindingAt, exportAt } from './apiexport.fixture.ts';
import type { ApiBinding, PermissionClaim } from './apis-kcp-io.ts';
import { acceptedClaims, agreedVerbs, BINDING_INDEXES, bindingOf, isBound, slimBinding } from './bindings.ts';
import { FakeInformer } from './resource-schemas.fixture.ts';

const EXPORT = { cluster: 'provider', name: 'cowboys.dev' };
const TO = 'provider/cowboys.dev';

function found(...bindings: readonly ApiBinding[]): string | undefined {
  const informer = new FakeInformer<ApiBinding>(BINDING_INDEXES);
  for (const binding of bindings) informer.put(binding);
  return bindingOf(informer, 'consumer', EXPORT)?.metadata?.name;
}

describe('the binding of an export in a logical cluster', () => {
  test('is the one whose status names the logical cluster of the export', () => {
    const elsewhere = bindingAt('consumer/a', 'other/cowboys.dev');
    const another = bindingAt('consumer/b', 'provider/sheriffs.dev');
    expect(found(elsewhere, another, bindingAt('consumer/c', TO))).toBe('c');
  });

  test('is none of another logical cluster', () => {
    expect(found(bindingAt('consumer2/a', TO))).toBeUndefined();
  });

  test('is the first by name, where there are several', () => {
    expect(found(bindingAt('consumer/b', TO), bindingAt('consumer/a', TO), bindingAt('consumer/c', TO))).toBe('a');
  });

  test('is known by the path in its spec before its status says anything', () => {
    expect(found(bindingAt('consumer/a', TO, { path: 'provider', status: '' }))).toBe('a');
  });

  // A path is what the consumer wrote, the status what kcp resolved it to.
  test('is not known by the path in its spec once its status names another logical cluster', () => {
    expect(found(bindingAt('consumer/a', TO, { path: 'provider', status: 'other' }))).toBeUndefined();
  });

  test('is none that refers to no export', () => {
    const { metadata } = bindingAt('consumer/a', TO);
    expect(found({ ...(metadata && { metadata }), spec: {}, status: { apiExportClusterName: 'provider' } })).toBeUndefined();
  });
});

describe('what is kept of a binding', () => {
  test('decides as the whole binding does', () => {
    const whole = bindingAt('consumer/a', TO, { bound: ['cowboys.dev'], claims: [{ resource: 'secrets', state: 'Accepted' }] });
    const slim = slimBinding({ ...whole, metadata: { ...whole.metadata, managedFields: [{}], labels: { a: 'b' } } });
    expect(slim.metadata).toEqual({
      name: 'a',
      uid: 'consumer-a',
      resourceVersion: whole.metadata?.resourceVersion,
      annotations: { 'kcp.io/cluster': 'consumer' },
    });
    expect([found(slim), isBound(slim, 'dev', 'cowboys'), acceptedClaims(slim, '', 'secrets').length]).toEqual(['a', true, 1]);
  });

  test('of one that says nothing yet is nothing', () => {
    const slim = slimBinding({ metadata: { name: 'a', resourceVersion: '1' } });
    expect([slim.spec, slim.status]).toEqual([{ permissionClaims: [] }, { boundResources: [] }]);
  });
});

describe('what a binding binds', () => {
  const binding = bindingAt('consumer/a', TO, { bound: ['cowboys.dev', 'secrets.'] });
  test.each([
    ['dev', 'cowboys', true],
    // Of the shard's own, whatever was bound by that name.
    ['', 'secrets', false],
    ['', 'cowboys', false],
    ['dev', 'sheriffs', false],
  ])('of the group %j %s: %s', (group, resource, bound) => {
    expect(isBound(binding, group, resource)).toBe(bound);
  });
});

describe('what a binding accepts', () => {
  const claims = [
    { resource: 'secrets', state: 'Accepted' },
    { group: '', resource: 'configmaps', state: 'Rejected' },
    { group: 'dev', resource: 'sheriffs' },
    { resource: 'events', state: 'Accepted' },
  ];
  const binding = bindingAt('consumer/a', TO, { claims });
  test.each([
    ['an accepted claim', '', 'secrets', 1],
    ['no rejected claim', '', 'configmaps', 0],
    ['no claim that nothing is said of', 'dev', 'sheriffs', 0],
    ['no claim of another group', 'dev', 'secrets', 0],
    ['events of the legacy group', '', 'events', 1],
    ['for these also the events of the newer group', 'events.k8s.io', 'events', 1],
  ])('is %s', (_, group, resource, count) => {
    expect(acceptedClaims(binding, group, resource)).toHaveLength(count);
  });
});

describe('verbs of a claim that are agreed on', () => {
  const agreed = (
    asked: readonly string[] | undefined,
    accepted: readonly string[] | undefined,
    ids: readonly (string | undefined)[] = [],
  ) => {
    const claim = (verbs?: readonly string[], identityHash?: string): PermissionClaim => ({
      resource: 'secrets',
      ...(verbs && { verbs }),
      ...(identityHash !== undefined && { identityHash }),
    });
    return agreedVerbs(
      exportAt(TO, { claims: [{ resource: 'others', verbs: ['get'] }, claim(asked, ids[0])] }),
      claim(accepted, ids[1]),
    );
  };

  test.each([
    [['get', 'list'], ['list', 'watch'], ['list']],
    [['*'], ['*'], ['*']],
    [['get'], [], []],
    [undefined, ['get'], []],
    [['get'], undefined, []],
  ])('%j and %j: %j', (asked, accepted, both) => {
    expect(agreed(asked, accepted)).toEqual(both);
  });

  // Whoever reads `*` as every verb opens more than kcp does, to an export that asked for all where the consumer accepted little.
  test.each([
    [['*'], ['get']],
    [['get'], ['*']],
  ])('are compared literally: %j and %j have nothing in common', (asked, accepted) => {
    expect(agreed(asked, accepted)).toEqual([]);
  });

  test('are none where the claims are of different identities', () => {
    expect(agreed(['get'], ['get'], ['one', 'other'])).toEqual([]);
    expect(agreed(['get'], ['get'], [undefined, 'other'])).toEqual([]);
  });

  test('are those of one identity, also if that is empty on one side and absent on the other', () => {
    expect(agreed(['get'], ['get'], ['', undefined])).toEqual(['get']);
  });
});
