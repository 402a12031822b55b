import { describe, expect, test } from '@jest/globals';
import { KCP_RESOURCES } from '../store/kcp-resources.ts';
import { Registry } from '../store/registry.ts';
import { Store } from '../store/store.ts';
import { Loopback } from './loopback.ts';
import { LOGICAL_CLUSTERS, WORKSPACES } from './refs.ts';
import { canonicalPath, isClusterName, isClusterPath, resolveClusterPath } from './workspace-paths.ts';

function tree(): Loopback {
  const objects = new Loopback(new Store(), new Registry(KCP_RESOURCES), []);
  const place = (cluster: string, path: string): void => {
    objects.create(LOGICAL_CLUSTERS, cluster, { metadata: { name: 'cluster', annotations: { 'kcp.io/path': path } } });
  };
  place('root', 'root');
  place('1team', 'root:team');
  place('2app', 'root:team:app');
  objects.create(WORKSPACES, 'root', { metadata: { name: 'team' }, spec: { cluster: '1team' } });
  objects.create(WORKSPACES, '1team', { metadata: { name: 'app' }, spec: { cluster: '2app' } });
  objects.create(WORKSPACES, '1team', { metadata: { name: 'unscheduled' }, spec: {} });
  return objects;
}

describe('a path of workspaces', () => {
  test.each([
    ['root', 'root'],
    ['root:team', '1team'],
    ['root:team:app', '2app'],
    ['1team:app', '2app'],
  ])('%s leads to the logical cluster %s', (path, cluster) => {
    expect(resolveClusterPath(tree(), path)).toBe(cluster);
  });

  test.each(['root:nobody', 'root:nobody:app', 'root:team:unscheduled', 'nowhere:app'])('%s leads nowhere', path => {
    expect(resolveClusterPath(tree(), path)).toBeUndefined();
  });

  test('that begins with a user leads to his home, and on from there', () => {
    const objects = tree();
    objects.create(LOGICAL_CLUSTERS, 'v1u4alow0iv9', {
      metadata: { name: 'cluster', annotations: { 'kcp.io/path': 'user:alice' } },
    });
    objects.create(WORKSPACES, 'v1u4alow0iv9', { metadata: { name: 'app' }, spec: { cluster: '2app' } });
    expect(resolveClusterPath(objects, 'user:alice')).toBe('v1u4alow0iv9');
    expect(resolveClusterPath(objects, 'user:alice:app')).toBe('2app');
    expect(resolveClusterPath(objects, 'user:bob')).toBeUndefined();
  });

  test('that is a name, or one of the system, is taken for the name', () => {
    expect(resolveClusterPath(tree(), 'nosuchcluster')).toBe('nosuchcluster');
    expect(resolveClusterPath(tree(), 'system:admin')).toBe('system:admin');
    expect(isClusterName('root:team')).toBe(false);
  });

  test('is known of every logical cluster that has one', () => {
    expect(canonicalPath(tree(), '2app')).toBe('root:team:app');
    expect(canonicalPath(tree(), 'other')).toBe('other');
  });

  test.each(['', 'Root', 'root:', ':root', 'root::a', 'a/b', '-a', '*'])('is not %j', text => {
    expect(isClusterPath(text)).toBe(false);
  });
});
