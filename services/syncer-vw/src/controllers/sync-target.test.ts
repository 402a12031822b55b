import { describe, expect, test } from '@jest/globals';
import { syncTarget } from './sync-target.fixture.ts';
import { identityOf, validSyncTarget } from './sync-target.ts';

describe('a SyncTarget', () => {
  test('is taken as it is if it is one', () => {
    const target = syncTarget({
      spec: {
        unschedulable: true,
        evictAfter: '2026-01-01T00:00:00Z',
        supportedAPIExports: [{ export: 'kubernetes' }, { path: 'root:compute', export: 'kubernetes' }],
        cells: { network: 'a' },
      },
    });
    expect(validSyncTarget(target)).toBe(target);
    expect(identityOf(target)).toEqual({ cluster: 'root:org:ws', name: 'us-west1', uid: 'uid-of-us-west1' });
  });

  test.each([
    ['metadata.name', { ...syncTarget(), metadata: { name: 'a'.repeat(235) } }],
    ['spec', { ...syncTarget(), spec: [] }],
    ['spec.unschedulable', { ...syncTarget(), spec: { unschedulable: 'yes' } }],
    ['spec.evictAfter', { ...syncTarget(), spec: { evictAfter: 'tomorrow' } }],
    ['spec.supportedAPIExports', { ...syncTarget(), spec: { supportedAPIExports: 'kubernetes' } }],
    ['spec.supportedAPIExports[0]', { ...syncTarget(), spec: { supportedAPIExports: [{ path: 'root' }] } }],
    [
      'spec.supportedAPIExports[1]',
      { ...syncTarget(), spec: { supportedAPIExports: [{ export: 'a' }, { path: '../root', export: 'a' }] } },
    ],
    ['spec.cells', { ...syncTarget(), spec: { cells: { network: 7 } } }],
  ])('is refused with the name of the field if there is something wrong with %s', (field, target) => {
    expect(() => validSyncTarget(target)).toThrow(
      expect.objectContaining({ code: 422, message: expect.stringContaining(`${field}: Invalid`) }),
    );
  });

  test('that was not read from an API server has no identity', () => {
    expect(() => identityOf({ metadata: { name: 'us-west1' } })).toThrow(
      'the SyncTarget "us-west1" has no uid or no logical cluster',
    );
  });
});
