import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Caller } from '../authn/identity.ts';
import type { AuditOptions } from '../config/options.ts';
import { type AuditEntry, createAuditLog } from './audit.ts';
import { createLogger } from './log.ts';

const CALLER: Caller = { name: 'ada', uid: '', groups: ['team-1'], extra: { secret: ['S3CRET'] }, method: 'token' };

function entry(overrides: Partial<AuditEntry['exchange']> = {}, caller: Caller | undefined = CALLER): AuditEntry {
  return {
    exchange: {
      method: 'GET',
      url: '/services/initializingworkspaces/root:x/clusters/*/api/v1/secrets?watch=true&token=S3CRET',
      headers: ['Authorization', 'Bearer S3CRET', 'Audit-ID', 'a-b-c'],
      peer: { address: '10.0.0.1' },
      httpVersion: '2.0',
      status: 200,
      bytesWritten: 42,
      startedAt: performance.now(),
      ...overrides,
    },
    caller,
    record: { view: 'initializingworkspaces', cluster: '*', verb: 'watch', resource: 'secrets', because: 'owner of the type' },
    complete: true,
  };
}

describe('the audit log', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'audit-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const options = (path?: string): AuditOptions => ({ ...(path && { path }), maxSizeMB: 0, maxBackups: 0 });
  const logged: string[] = [];
  const log = createLogger({ name: 'test', verbosity: 2, destination: { write: line => void logged.push(line) } });

  async function lines(...entries: AuditEntry[]): Promise<Record<string, unknown>[]> {
    const path = join(folder, 'audit.log');
    const audit = createAuditLog(options(path), { log });
    for (const one of entries) audit.write(one);
    await audit.close();
    const text = readFileSync(path, 'utf8');
    expect(text).not.toContain('S3CRET');
    return text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>);
  }

  test('says of each request who did what, where, how it ended and why, without headers and query', async () => {
    const [line] = await lines(entry());
    expect(line).toMatchObject({
      auditID: 'a-b-c',
      source: '10.0.0.1',
      user: 'ada',
      groups: ['team-1'],
      authentication: 'token',
      verb: 'watch',
      method: 'GET',
      path: '/services/initializingworkspaces/root:x/clusters/*/api/v1/secrets',
      view: 'initializingworkspaces',
      cluster: '*',
      resource: 'secrets',
      code: 200,
      bytes: 42,
      complete: true,
      because: 'owner of the type',
    });
    expect(Date.parse(String(line?.time))).not.toBeNaN();
    expect(line?.durationMs).toBeGreaterThanOrEqual(0);
    expect(line).not.toHaveProperty('impersonator');
  });

  test('names who impersonated', async () => {
    const shard = { name: 'kcp-shard-0', uid: '', groups: ['system:masters'], extra: {} };
    const [line] = await lines(entry({}, { ...CALLER, impersonator: shard }));
    expect(line).toMatchObject({ user: 'ada', impersonator: 'kcp-shard-0' });
  });

  test('says for which shard, over how many proxies, and what a client had too much of, where there is something to say', async () => {
    const throttled = { limit: 'rate', client: '0a1b2c3d' };
    const [line, plain] = await lines({ ...entry(), shard: 'shard-1', hops: 3, throttled }, { ...entry(), hops: 1 });
    expect(line).toMatchObject({ shard: 'shard-1', hops: 3, throttled: 'rate', client: '0a1b2c3d' });
    for (const key of ['shard', 'hops', 'throttled', 'client']) expect(plain).not.toHaveProperty(key);
  });

  test('has requests that nobody could be found for', async () => {
    const [line] = await lines({ ...entry({ status: 401 }), caller: undefined, record: {} });
    expect(line).toMatchObject({ code: 401 });
    for (const key of ['user', 'view', 'verb']) expect(line).not.toHaveProperty(key);
  });

  test('keeps lines short, whatever a client sends', async () => {
    const groups = Array.from({ length: 10_000 }, (_, i) => `g${i}`);
    const [line] = await lines(entry({ url: `/${'x'.repeat(500_000)}` }, { ...CALLER, groups }));
    expect(JSON.stringify(line).length).toBeLessThan(5_000);
  });

  test('goes to the log when there is no file', () => {
    logged.length = 0;
    createAuditLog(options(), { log }).write(entry());
    expect(JSON.parse(logged[0] ?? '')).toMatchObject({ msg: 'request', audit: { user: 'ada', code: 200 } });
  });
});
