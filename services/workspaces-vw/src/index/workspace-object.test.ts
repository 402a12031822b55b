import { describe, expect, test } from '@jest/globals';
import type { WorkspaceObject } from './facts.ts';
import { clusterOfWorkspace, isMount, LAST_APPLIED, OWNER_ANNOTATION, readObject, withVersion } from './workspace-object.ts';

const owned = (owner: string | undefined, phase?: string): WorkspaceObject => ({
  metadata: {
    name: 'web',
    uid: '1',
    resourceVersion: '5',
    ...(owner !== undefined && { annotations: { [OWNER_ANNOTATION]: owner } }),
  },
  ...(phase !== undefined && { status: { phase } }),
});

describe('a workspace object', () => {
  test('is read without the record of its creator, and what was given stays as it was', () => {
    const given: WorkspaceObject = Object.freeze({
      metadata: Object.freeze({
        name: 'web',
        annotations: Object.freeze({ a: 'b', [OWNER_ANNOTATION]: '{}' }),
        resourceVersion: '5',
      }),
    });
    const read = readObject(given);
    expect(read.object).toEqual({
      apiVersion: 'tenancy.kcp.io/v1alpha1',
      kind: 'Workspace',
      metadata: { name: 'web', annotations: { a: 'b' }, resourceVersion: '5' },
    });
    expect(read).toMatchObject({ upstreamVersion: '5', ownerAnnotation: '{}' });
    expect(withVersion(read.object, 8n).metadata?.resourceVersion).toBe('8');
    expect(read.object.metadata?.resourceVersion).toBe('5');
  });

  test('has no annotations any more when that was the only one', () => {
    expect(readObject(owned('{}')).object.metadata).toEqual({ name: 'web', uid: '1', resourceVersion: '5' });
  });

  test('is read without what was applied when that has the record, too', () => {
    const applied = (annotations: object): string => JSON.stringify({ metadata: { annotations } });
    const read = (annotations: Record<string, string>) => readObject({ metadata: { annotations } }).object.metadata?.annotations;
    expect(read({ a: 'b', [LAST_APPLIED]: applied({ [OWNER_ANNOTATION]: '{"groups":["g"]}' }) })).toEqual({ a: 'b' });
    const innocent = { [LAST_APPLIED]: applied({ a: 'b' }) };
    expect(read({ ...innocent, [OWNER_ANNOTATION]: '{}' })).toEqual(innocent);
  });

  test.each([undefined, '', 'Scheduling', 'Initializing'])('names its creator in phase %s', phase => {
    expect(readObject(owned('{"username":"ann","groups":["staff"]}', phase)).creator).toEqual({ name: 'ann' });
  });

  test.each(['Ready', 'Unavailable', 'Terminating'])('names no creator in phase %s', phase => {
    expect(readObject(owned('{"username":"ann"}', phase)).creator).toBeUndefined();
  });

  test('names a service account with its logical cluster, and none of which that is not known', () => {
    const account = { username: 'system:serviceaccount:default:robot' };
    const extra = { 'authentication.kcp.io/cluster-name': ['home'] };
    expect(readObject(owned(JSON.stringify({ ...account, extra }))).creator).toEqual({ name: account.username, cluster: 'home' });
    for (const unknown of [
      undefined,
      {},
      { 'authentication.kcp.io/cluster-name': [] },
      { 'authentication.kcp.io/cluster-name': 'home' },
    ]) {
      expect(readObject(owned(JSON.stringify({ ...account, extra: unknown }))).creator).toBeUndefined();
    }
  });

  test.each(['', 'no JSON', 'null', '7', '[]', '{}', '{"username":""}', '{"username":7}'])('names nobody by %s', annotation => {
    expect(readObject(owned(annotation)).creator).toBeUndefined();
  });

  test('is a mount when it has one, whatever logical cluster it claims', () => {
    expect(isMount({ spec: { mount: {} } })).toBe(true);
    expect(isMount({ spec: { mount: {}, cluster: 'c' } })).toBe(true);
    expect(clusterOfWorkspace({ spec: { mount: {}, cluster: 'c' } })).toBe('');
    expect(isMount({ spec: {} })).toBe(false);
  });
});
