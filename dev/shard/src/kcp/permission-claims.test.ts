import { describe, expect, test } from '@jest/globals';
import { claimHash, exportHash, withClaimLabels } from './permission-claims.ts';

describe('the hashes of claims', () => {
  test('are those of kcp', () => {
    expect(exportHash('root', 'tenancy.kcp.io')).toBe('bmCdly9xXiUpEHe3ypvDwvXMTfoVZUE92mqAQf');
    expect(claimHash({ group: '', resource: 'configmaps' })).toBe('3QVjs6pfBjMpLEVYYhysJnroYGsQGlWm05E4qe');
    expect(exportHash('abcd1234', 'my-export')).toBe('phGj1BkmdNY3LKTrtFc1KGLYTBs8Nt50p8PIU');
    const claim = { group: 'apps', resource: 'deployments', identityHash: 'deadbeef' };
    expect(claimHash(claim)).toBe('4CpOMiJ5JL9ZC4cG8ne7nGNQbSOEUiwZ89KHal');
    // Recorded from kcp v0.32.3.
    expect(claimHash({ resource: 'secrets' })).toBe('ctwrJRvMX7cX8wwk40Lz00UjJhYxPWE3TpN1lu');
  });

  test('say nothing about verbs and selectors', () => {
    const claim = { group: '', resource: 'configmaps', identityHash: '' };
    expect(claimHash({ ...claim, verbs: ['get'], defaultSelector: { matchLabels: { a: 'b' } } })).toBe(claimHash(claim));
  });
});

describe('labels', () => {
  test('lose those of claims that nobody has accepted and keep all others', () => {
    const labels = { app: 'x', 'claimed.internal.apis.kcp.io/old': 'a' };
    expect(withClaimLabels(labels, { 'claimed.internal.apis.kcp.io/new': 'b' })).toEqual({
      app: 'x',
      'claimed.internal.apis.kcp.io/new': 'b',
    });
  });

  test('that are right are left alone', () => {
    const labels = { app: 'x', 'claimed.internal.apis.kcp.io/new': 'b' };
    expect(withClaimLabels(labels, { 'claimed.internal.apis.kcp.io/new': 'b' })).toBe(labels);
  });
});
