import { expect, test } from '@jest/globals';
import { partialObjectMetadata, partialObjectMetadataList } from './partial-metadata.ts';

const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', labels: { x: 'y' } }, data: { password: 'cGFzcw==' } };

test('a partial object holds the metadata and nothing else of the object', () => {
  expect(partialObjectMetadata(secret)).toEqual({
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { name: 'a', labels: { x: 'y' } },
  });
});

test('a wildcard request learns the apiVersion of the object, without changing the object', () => {
  const partial = partialObjectMetadata({ ...secret, apiVersion: 'apps/v1' }, { wildcard: true, version: 'v1beta1' });
  expect(partial.apiVersion).toBe('meta.k8s.io/v1beta1');
  expect(partial.metadata.annotations).toEqual({ 'kcp.io/original-api-version': 'apps/v1' });
  expect(secret.metadata).not.toHaveProperty('annotations');
  expect(partialObjectMetadata(partial, { wildcard: true }).metadata.annotations).toEqual(partial.metadata.annotations);
});

test('a list keeps its own metadata', () => {
  const list = { apiVersion: 'v1', kind: 'SecretList', metadata: { resourceVersion: '7', continue: 'c' }, items: [secret] };
  expect(partialObjectMetadataList(list)).toEqual({
    kind: 'PartialObjectMetadataList',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: '7', continue: 'c' },
    items: [partialObjectMetadata(secret)],
  });
});
