import { expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { asSeen } from '@kcp-vw/syncer-vw/transform/as-seen.ts';
import { deployment, sharedBy, solelyOf, unpromotedOf } from './content.ts';

const KEYS = ['east', 'west'];
const seenBy = (object: KubeObject, key: string): KubeObject => {
  const seen = asSeen(object, key);
  if (!('seen' in seen)) throw new Error(JSON.stringify(seen));
  return seen.seen;
};

test('what is shared is seen by each target as its share, with what it has reported', () => {
  const object = sharedBy(deployment('web-0', 1), KEYS);
  expect(seenBy(object, 'east')).toMatchObject({ spec: { replicas: 4 }, status: { replicas: 4 } });
  expect(seenBy(object, 'west')).toMatchObject({ spec: { replicas: 3 }, status: { replicas: 3 } });
});

test('objects are seen as about 2.4 KB, and are not alike', () => {
  const [one, other] = [1, 2].map(seed => JSON.stringify(seenBy(sharedBy(deployment('web-0', seed), KEYS), 'east')));
  expect(one?.length).toBeGreaterThan(2_000);
  expect(one?.length).toBeLessThan(2_500);
  expect(one).not.toBe(other);
});

test('what one target has is seen without a status, promoted or not', () => {
  expect(seenBy({ ...solelyOf(deployment('a', 1), 'east'), status: { replicas: 1 } }, 'east').status).toBeUndefined();
  expect(seenBy(unpromotedOf(deployment('a', 1), 'east'), 'east').status).toBeUndefined();
});
