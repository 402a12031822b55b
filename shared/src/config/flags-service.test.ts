import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseFlags } from './flags.ts';
import { formatOpsAddress, opsAddressOf, parseOpsAddress, readServiceArguments } from './flags-service.ts';

test('ops servers follow one another, and are on the loopback address unless told otherwise', () => {
  const ops = (index: number, ...argv: string[]) => opsAddressOf(parseFlags(['--kubeconfig=x', ...argv]), index);
  expect(ops(2)).toBeUndefined();
  expect(ops(2, '--ops-port=9000')).toEqual({ port: 9002, host: '127.0.0.1' });
  expect(ops(2, '--ops-port=0', '--ops-bind-address=0.0.0.0')).toEqual({ port: 0, host: '0.0.0.0' });
});

describe("a service's arguments", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'flags-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('bring the whole configuration in a file', () => {
    const options = parseFlags(['--kubeconfig=x', '--ops-port=9000', '--tls-min-version=VersionTLS13']);
    writeFileSync(join(folder, 'options.json'), JSON.stringify(options));
    expect(readServiceArguments([`--options=${folder}/options.json`, '--socket=/run/a.sock', '--ops=9001'])).toEqual({
      options,
      socket: '/run/a.sock',
      ops: { port: 9001 },
    });
  });

  test('are refused in one sentence when somebody else starts it', () => {
    expect(() => readServiceArguments([])).toThrow('--options is required: this program is started by kcp-vw up');
    expect(() => readServiceArguments(['--what'])).toThrow(/^this program is started by kcp-vw up: .*--what/);
    expect(() => readServiceArguments([`--options=${folder}/none.json`])).toThrow(/none\.json/);
  });

  test('carry an ops address as it was', () => {
    expect([formatOpsAddress({ port: 1 }), formatOpsAddress({ path: '/a' })]).toEqual(['1', '/a']);
    for (const address of [{ port: 1 }, { port: 1, host: '0.0.0.0' }, { port: 1, host: '::1' }, { path: '/a:1' }]) {
      expect(parseOpsAddress(formatOpsAddress(address))).toEqual(address);
    }
  });
});
