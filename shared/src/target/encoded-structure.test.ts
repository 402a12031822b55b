import { describe, expect, test } from '@jest/globals';
import { refuseEncodedStructure } from './encoded-structure.ts';
import { parseTarget } from './target.ts';

describe('an encoded slash', () => {
  test.each([
    '/api%2Fv1/secrets',
    '/api/v1%2Fsecrets',
    '/api/v1/secrets%2Fx',
    '/api/v1/namespaces%2Fdefault/secrets',
    '/api/v1/namespaces/a%2Fb/secrets',
    '/api/v1/namespaces/a/secrets%2Fb',
    '/apis/g.io%2Fv1/things',
    '/apis/g.io/v1/things%2Fa/status',
    '/version%2Fx',
  ])('is refused in %s', path => {
    expect(() => refuseEncodedStructure(parseTarget(path))).toThrow(expect.objectContaining({ code: 400 }));
  });

  test.each([
    '/api/v1/namespaces/a/secrets/x%2Fy',
    '/api/v1/nodes/x%2Fy',
    '/api/v1/namespaces/x%2Fy',
    '/apis/g.io/v1/things/x%2Fy/status',
    '/api/v1/nodes/n/proxy/x%2Fy',
    '/api/v1/secrets',
    '/',
  ])('is the shard’s to read, or absent, in %s', path => {
    expect(() => refuseEncodedStructure(parseTarget(path))).not.toThrow();
  });
});
