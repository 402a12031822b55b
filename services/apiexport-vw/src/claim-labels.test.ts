import { describe, expect, test } from '@jest/globals';
import { claimLabelKey, claimLabelValue, exportHash, REFLEXIVE_VALUE } from './claim-labels.ts';

const PREFIX = 'claimed.internal.apis.kcp.io/';

describe('labels of permission claims', () => {
  test('a claim to a core resource has the key and the value that kcp writes', () => {
    expect(claimLabelKey({ cluster: 'root', name: 'tenancy.kcp.io' })).toBe(`${PREFIX}bmCdly9xXiUpEHe3ypvDwvXMTfoVZUE92mqAQf`);
    expect(claimLabelValue({ group: '', resource: 'configmaps' })).toBe('3QVjs6pfBjMpLEVYYhysJnroYGsQGlWm05E4qe');
  });

  test('a claim to a resource of another export has the key and the value that kcp writes', () => {
    expect(claimLabelKey({ cluster: 'abcd1234', name: 'my-export' })).toBe(`${PREFIX}phGj1BkmdNY3LKTrtFc1KGLYTBs8Nt50p8PIU`);
    const claim = { group: 'apps', resource: 'deployments', identityHash: 'deadbeef' };
    expect(claimLabelValue(claim)).toBe('4CpOMiJ5JL9ZC4cG8ne7nGNQbSOEUiwZ89KHal');
  });

  test('verbs and selectors are not part of what a claim is known by', () => {
    const claim = { resource: 'secrets', verbs: ['get'], defaultSelector: { matchAll: true } };
    expect(claimLabelValue(claim)).toBe(claimLabelValue({ resource: 'secrets' }));
  });

  test("an export's own bindings carry kcp's constant", () => {
    expect(REFLEXIVE_VALUE).toBe('LstvmbbzVDDOn90ZbhzSQO5U3DMCf88h1pZ');
  });

  test('the label of a binding is the hash at the end of the claim key', () => {
    const exported = { cluster: 'root', name: 'tenancy.kcp.io' };
    expect(claimLabelKey(exported)).toBe(PREFIX + exportHash(exported));
  });
});
