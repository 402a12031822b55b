import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { fakeUpstream } from '@kcp-vw/shared/testing/fake-upstream.ts';
import { readShardResources, type ShardResources } from './shard-resources.ts';

const DISCOVERY: Readonly<Record<string, object>> = {
  '/clusters/system:admin/apis': { groups: [{ name: 'rbac.authorization.k8s.io', versions: [{ version: 'v1' }] }] },
  '/clusters/system:admin/api/v1': { resources: [{ name: 'secrets' }, { name: 'namespaces' }, { name: 'namespaces/status' }] },
  '/clusters/system:admin/apis/rbac.authorization.k8s.io/v1': { resources: [{ name: 'roles' }] },
};

describe('the resources that a shard has by itself', () => {
  let resources: ShardResources;
  let changes = 0;
  const errors: string[] = [];
  function read(answer: Parameters<typeof fakeUpstream>[0], interval = 60_000): void {
    changes = 0;
    errors.length = 0;
    const onError = (error: Error): void => void errors.push(error.message);
    resources = readShardResources({ shard: fakeUpstream(answer), onChange: () => changes++, onError, interval, retry: 5 });
  }
  afterEach(() => resources.stop());
  const known = async (): Promise<void> => {
    for (let i = 0; i < 200 && !resources.known(); i++) await sleep(5);
  };

  test('are those of a logical cluster that binds nothing', async () => {
    read(({ path }) => ({ body: DISCOVERY[path] ?? {}, status: path in DISCOVERY ? 200 : 404 }));
    expect(resources.known()).toBe(false);
    await known();
    expect(resources.includes('', 'secrets')).toBe(true);
    expect(resources.includes('rbac.authorization.k8s.io', 'roles')).toBe(true);
    expect(resources.includes('example.dev', 'secrets')).toBe(false);
    expect(changes).toBe(1);
  });

  test('are not known while a part of its discovery cannot be read: what is missing would be exported', async () => {
    let broken = true;
    read(({ path }) => (broken && path.endsWith('/v1') ? { status: 503, body: {} } : { body: DISCOVERY[path] ?? {} }));
    await sleep(30);
    expect(resources.known()).toBe(false);
    expect(errors[0]).toMatch(/answered 503 for its discovery/);
    broken = false;
    await known();
    expect(resources.includes('', 'secrets')).toBe(true);
  });

  test('stay when they cannot be read again, and change with the shard', async () => {
    let extra: object[] = [];
    let status = 200;
    read(({ path }) => {
      const found = DISCOVERY[path] as { resources?: object[] };
      return { status, body: found.resources ? { resources: [...found.resources, ...extra] } : found };
    }, 5);
    await known();
    status = 500;
    await sleep(30);
    expect(resources.includes('', 'secrets')).toBe(true);
    status = 200;
    extra = [{ name: 'pods' }];
    for (let i = 0; i < 200 && !resources.includes('', 'pods'); i++) await sleep(5);
    expect(resources.includes('', 'pods')).toBe(true);
    expect(changes).toBe(2);
  });
});
