import { describe, expect, test } from '@jest/globals';
import { KCP_RESOURCES } from '../store/kcp-resources.ts';
import { Registry } from '../store/registry.ts';
import { Store } from '../store/store.ts';
import { Loopback } from './loopback.ts';
import type { WorkspaceType } from './objects.ts';
import { LOGICAL_CLUSTERS, WORKSPACE_TYPES } from './refs.ts';
import { findTypeFrom, initializersOf, terminatorsOf, typeClosure, whyNotBelow } from './workspace-types.ts';

type Spec = NonNullable<WorkspaceType['spec']>;
const inRoot = (...names: string[]) => names.map(name => ({ name, path: 'root' }));

function types(specs: Readonly<Record<string, Spec>>) {
  const objects = new Loopback(new Store(), new Registry(KCP_RESOURCES), []);
  objects.create(LOGICAL_CLUSTERS, 'root', { metadata: { name: 'cluster', annotations: { 'kcp.io/path': 'root' } } });
  for (const [name, spec] of Object.entries(specs)) {
    objects.create(WORKSPACE_TYPES, 'root', { metadata: { name, annotations: { 'kcp.io/path': 'root' } }, spec });
  }
  const closure = (name: string): readonly WorkspaceType[] => {
    const type = findTypeFrom(objects, 'root', { name });
    if (!type) throw new Error(`there is no type ${name}`);
    return typeClosure(objects, type);
  };
  return { objects, closure };
}

describe('a workspace type', () => {
  test('waits for itself and for all that it extends, each once', () => {
    const { closure } = types({
      base: { initializer: true, terminator: true, defaultAPIBindings: [{ path: 'root', export: 'x' }] },
      left: { initializer: true, extend: { with: inRoot('base') } },
      right: { terminator: true, extend: { with: inRoot('base') } },
      both: { extend: { with: inRoot('left', 'right') } },
    });
    expect(initializersOf(closure('both'))).toEqual(['root:left', 'root:base', 'system:apibindings']);
    expect(terminatorsOf(closure('both'))).toEqual(['root:base', 'root:right']);
  });

  test('that extends itself, or what does not exist, is none', () => {
    const { closure } = types({
      a: { extend: { with: inRoot('b') } },
      b: { extend: { with: inRoot('a') } },
      c: { extend: { with: inRoot('x') } },
    });
    expect(() => closure('a')).toThrow('circular reference detected in workspace type: root:a -> root:b -> root:a');
    expect(() => closure('c')).toThrow('unable to find inherited workspace type root:x of root:c');
  });

  test('is found in root from everywhere', () => {
    const { objects } = types({ universal: {} });
    expect(findTypeFrom(objects, 'root:a:b', { name: 'universal' })?.metadata.name).toBe('universal');
    expect(findTypeFrom(objects, 'root:a:b', { name: 'other' })).toBeUndefined();
  });

  test('says below which types it may be, and which may be below it', () => {
    const { closure } = types({
      org: { limitAllowedChildren: { types: inRoot('universal') } },
      universal: {},
      special: { extend: { with: inRoot('universal') } },
      lone: { limitAllowedParents: { none: true } },
      picky: { limitAllowedParents: { types: inRoot('org') } },
    });
    expect(whyNotBelow(closure('org'), closure('special'))).toBeUndefined();
    expect(whyNotBelow(closure('org'), closure('picky'))).toContain('does not allow children of type root:picky');
    expect(whyNotBelow(closure('universal'), closure('lone'))).toContain('cannot have any parent');
    expect(whyNotBelow(closure('universal'), closure('picky'))).toContain('does not allow parents of type root:universal');
  });
});
