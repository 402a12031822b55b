import { describe, expect, test } from '@jest/globals';
import { downstreamName, type Locator, locatorOf, locatorText, namespaceName, tenantId, upstreamName } from './names.ts';
import { CONFIG_MAPS, type Resource, SECRETS } from './resources.ts';

const LOCATOR: Locator = {
  syncTarget: { cluster: 'root:org:ws', name: 'us-west1', uid: 'syncTargetUID' },
  cluster: 'root:org:ws',
  namespace: 'test',
};
const annotated = (text: string) => ({ metadata: { name: 'kcp-x', annotations: { 'kcp.io/namespace-locator': text } } });

describe('a namespace downstream', () => {
  test('has the name and the tenant that syncers have always given it', () => {
    expect(namespaceName(LOCATOR)).toBe('kcp-33jbiactwhg0');
    expect(tenantId(LOCATOR)).toBe('9Fn3Q4y5UDPmCOrYCujwdgCbD9SwOcKdcefYE7');
  });

  test('has the same name whatever order the keys of its locator are in', () => {
    const { uid, name, cluster } = LOCATOR.syncTarget;
    expect(namespaceName({ namespace: 'test', cluster: LOCATOR.cluster, syncTarget: { uid, name, cluster } })).toBe(
      'kcp-33jbiactwhg0',
    );
  });

  test('is of the same tenant as others of its logical cluster, and of no other', () => {
    expect(tenantId({ ...LOCATOR, namespace: 'other' })).toBe(tenantId(LOCATOR));
    expect(tenantId({ ...LOCATOR, cluster: 'root:org:other' })).not.toBe(tenantId(LOCATOR));
  });
});

describe('a locator', () => {
  test('is absent', () => expect(locatorOf({ metadata: {} })).toBeUndefined());
  test('is what was written', () => expect(locatorOf(annotated(locatorText(LOCATOR)))).toEqual(LOCATOR));
  test('may be one of the first releases', () => {
    const { cluster: path, ...syncTarget } = LOCATOR.syncTarget;
    expect(locatorOf(annotated(JSON.stringify({ ...LOCATOR, syncTarget: { path, ...syncTarget } })))).toEqual(LOCATOR);
  });
  test.each(['garbage', '', 'null', '[]', '{}', '{"syncTarget":{"cluster":"a","name":1,"uid":"u"},"cluster":"c"}'])(
    'is refused if it cannot be read: %j',
    text => expect(() => locatorOf(annotated(text))).toThrow('the annotation kcp.io/namespace-locator of kcp-x says nothing'),
  );
});

const SERVICES: Resource = { group: '', version: 'v1', resource: 'services' };
const OTHER_SECRETS: Resource = { group: 'example.dev', version: 'v1', resource: 'secrets' };

test.each([
  ['the root certificate', CONFIG_MAPS, 'kube-root-ca.crt', 'kcp-root-ca.crt'],
  ['another config map', CONFIG_MAPS, 'settings', 'settings'],
  ['the token of the default account', SECRETS, 'default-token-abc', 'kcp-default-token-abc'],
  ['another secret', SECRETS, 'foo-token-abc', 'foo-token-abc'],
  ['a secret named like the root certificate', SECRETS, 'kube-root-ca.crt', 'kube-root-ca.crt'],
  ['another resource', SERVICES, 'kube-root-ca.crt', 'kube-root-ca.crt'],
  ['a resource of this name in another group', OTHER_SECRETS, 'default-token-abc', 'default-token-abc'],
])('the name downstream leads back to the one upstream: %s', (_what, resource, upstream, downstream) => {
  expect(downstreamName(resource, upstream)).toBe(downstream);
  expect(upstreamName(resource, downstream)).toBe(upstream);
});
