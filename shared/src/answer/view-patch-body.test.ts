import { describe, expect, test } from '@jest/globals';
import { StatusError } from '../kube/errors.ts';
import { patchOf } from './view-patch-body.ts';

const THING = { group: 'g.io', version: 'v1', resource: 'things', customKind: 'Thing' };
const object = { apiVersion: 'g.io/v1', kind: 'Thing', metadata: { name: 'a' }, spec: {} };
/** Nearly as deep as an API server reads. */
const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

describe('a patch that is nested very deeply', () => {
  test.each([
    ['application/merge-patch+json', `{"spec":${deep(9_000)}}`],
    [
      'application/json-patch+json',
      `[{"op":"add","path":"/spec/a","value":${deep(9_000)}},{"op":"copy","from":"/spec/a","path":"/spec/b"}]`,
    ],
  ])('is refused as one that cannot be applied: %s', (type, body) => {
    let refusal: unknown;
    try {
      patchOf(type, Buffer.from(body), THING)(object);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(StatusError);
    expect([400, 422]).toContain((refusal as StatusError).code);
  });
});
