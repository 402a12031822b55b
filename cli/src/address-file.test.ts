import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createAddressFile } from './address-file.ts';
import { until } from './fake-programs.ts';

describe('the file of addresses', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'addresses-'));
    path = join(folder, 'addresses.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const content = (): unknown => (JSON.parse(readFileSync(path, 'utf8')) as { views: unknown }).views;
  const never = (error: Error): void => {
    throw error;
  };
  const a = { socketPath: '/a.sock', service: 'a-vw', instance: '1' };
  const b = { socketPath: '/b.sock', service: 'b-vw', instance: '2' };

  test('has every view with its addresses, sorted, for the owner only', () => {
    const file = createAddressFile(path, ['two', 'one'], never);
    file.up(a, ['two', 'three']);
    file.up(b, ['two']);
    expect(readFileSync(path, 'utf8')).toBe(JSON.stringify({ views: { one: [], three: [a], two: [a, b] } }));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['addresses.json']);
  });

  test('keeps the views of a service that is down, without its address', () => {
    const file = createAddressFile(path, [], never);
    file.up(a, ['one']);
    file.down('a-vw');
    expect(content()).toEqual({ one: [] });
  });

  test('has only the newest process of a service', () => {
    const file = createAddressFile(path, [], never);
    file.up(a, ['one', 'two']);
    file.up({ ...a, instance: '9' }, ['one']);
    expect(content()).toEqual({ one: [{ ...a, instance: '9' }], two: [] });
  });

  test('tells the processes of one service for different shards apart', () => {
    const file = createAddressFile(path, [], never);
    const [root, other] = [
      { ...a, shard: 'root' },
      { ...a, shard: 'shard-1', socketPath: '/a-1.sock' },
    ];
    file.up(root, ['one']);
    file.up(other, ['one']);
    expect(content()).toEqual({ one: [root, other] });
    file.up({ ...other, instance: '9' }, ['one']);
    expect(content()).toEqual({ one: [root, { ...other, instance: '9' }] });
    file.down('a-vw', 'root');
    expect(content()).toEqual({ one: [{ ...other, instance: '9' }] });
  });

  test('is written again when that did not work', async () => {
    mkdirSync(`${path}.new`);
    const errors: Error[] = [];
    createAddressFile(path, ['one'], error => void errors.push(error));
    expect(errors).toHaveLength(1);
    rmdirSync(`${path}.new`);
    await until(() => readdirSync(folder).includes('addresses.json'), 'the file is there');
    expect(content()).toEqual({ one: [] });
  });
});
