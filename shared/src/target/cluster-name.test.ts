import { expect, test } from '@jest/globals';
import { isClusterName, isClusterSegment } from './cluster-name.ts';

test.each([
  ['1x2y3z', true, true],
  ['root', true, true],
  ['system:admin', true, true],
  ['root:org', false, false],
  ['*', false, true],
])('%s as a name: %s, as a segment: %s', (text, name, segment) => {
  expect([isClusterName(text), isClusterSegment(text)]).toEqual([name, segment]);
});
