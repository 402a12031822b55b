import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import { createBackends } from '../backends/backends.ts';
import { createEndpointPolicy } from '../endpoints/endpoint-policy.ts';
import type { AddressSource } from './addresses.ts';
import { fileAddresses } from './file-addresses.ts';

let folder: string;
let source: AddressSource;
let errors: Error[];
const file = () => join(folder, 'addresses.json');
const address = (pid: number) => ({ service: 'a-vw', instance: String(pid), socketPath: join(folder, 'a.sock') });

/** As the supervisor writes it: never half. */
function write(content: unknown): void {
  writeFileSync(`${file()}.new`, typeof content === 'string' ? content : JSON.stringify(content));
  renameSync(`${file()}.new`, file());
}

const changed = () =>
  new Promise<void>(resolve => {
    const stop = source.onChange(() => {
      stop();
      resolve();
    });
  });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'addresses-'));
  errors = [];
  write({ views: { a: [address(1)] } });
  source = fileAddresses({ file: file(), withUrls: true, policy: createEndpointPolicy({ lists: [], unlisted: 'any' }) }, error =>
    errors.push(error),
  );
});
afterEach(() => {
  source.close();
  rmSync(folder, { recursive: true });
});

test('addresses follow the file, and a view that was there once is down, not unknown', async () => {
  expect(source.addressesOf('a')).toEqual([address(1)]);
  for (const name of ['b', 'constructor', '__proto__', 'toString']) expect(source.addressesOf(name)).toBeUndefined();
  const next = changed();
  write({ views: { b: [address(2)] } });
  await next;
  expect(source.addressesOf('a')).toEqual([]);
  expect(source.addressesOf('b')).toEqual([address(2)]);
});

test.each(['{', '{}', '{"views": {"a": [{"service": "a-vw", "instance": "2", "url": "http://plain"}]}}'])(
  'a file that says %s leaves the last addresses in force',
  async broken => {
    write(broken);
    while (errors.length === 0) await new Promise(resolve => setTimeout(resolve, 10));
    expect(source.addressesOf('a')).toEqual([address(1)]);
  },
);

test('a restarted process gets connections of its own, and who waits for it is woken', async () => {
  const backends = createBackends({ source, limits: DEFAULT_LIMITS, onError: error => errors.push(error as Error) });
  const first = backends.pick('a');
  expect(backends.pick('other')).toBe('unknown');
  const woken = backends.changed(10_000);
  write({ views: { a: [] } });
  expect(await woken).toBe(true);
  expect(backends.pick('a')).toBe('down');
  write({ views: { a: [address(2)] } });
  await backends.changed(10_000);
  expect(backends.pick('a')).not.toBe(first);
  expect(await backends.changed(1)).toBe(false);
  await backends.close();
});
