import { describe, expect, test } from '@jest/globals';
import type { ResourceDefinition } from './definition.ts';
import { Registry } from './registry.ts';

const definition = (resource: string, identity?: string): ResourceDefinition => ({
  ...{ group: 'example.dev', versions: ['v1'], resource, singular: resource, kind: resource, namespaced: true },
  ...{ custom: true, statusSubresource: true, tracksGeneration: true, columns: [], ...(identity && { identity }) },
});
const ref = (resource: string) => ({ group: 'example.dev', resource });

describe('a registry', () => {
  test('serves built-in resources everywhere and added ones in their logical cluster only', () => {
    const registry = new Registry([definition('builtin')]);
    registry.add('a', definition('own'));
    expect(registry.definitions('a').map(({ resource }) => resource)).toEqual(['builtin', 'own']);
    expect(registry.definitions('b').map(({ resource }) => resource)).toEqual(['builtin']);
    expect(registry.find('b', ref('own'))).toBeUndefined();
    expect(registry.find('*', ref('own'))?.resource).toBe('own');
  });

  test('prefers what a logical cluster has of its own', () => {
    const [builtin, own] = [definition('x'), definition('x', 'hash')];
    const registry = new Registry([builtin]);
    registry.add('a', own);
    expect([registry.find('a', ref('x')), registry.find('b', ref('x'))]).toEqual([own, builtin]);
    expect(registry.definitions('a')).toEqual([own]);
    expect(registry.findAll(ref('x'))).toEqual([builtin, own]);
  });

  test('forgets a resource, and all of a logical cluster', () => {
    const registry = new Registry();
    for (const resource of ['x', 'y']) registry.add('a', definition(resource));
    registry.remove('a', ref('x'));
    registry.remove('b', ref('x'));
    expect(registry.definitions('a').map(({ resource }) => resource)).toEqual(['y']);
    registry.removeCluster('a');
    expect(registry.definitions('a')).toEqual([]);
  });
});
