import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseFlags } from './flags.ts';
import { formatOpsAddress, readServiceArguments } from './flags-service.ts';

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
  });
});
