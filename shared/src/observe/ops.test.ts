import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { OpsAddress } from '../config/flags-service.ts';
import { createHealth } from './health.ts';
import { createMetrics } from './metrics.ts';
import { type Ops, startOps } from './ops.ts';

interface Reply {
  readonly code: number | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

function get(address: OpsAddress, path: string): Promise<Reply> {
  const where = 'port' in address ? { host: '127.0.0.1', port: address.port } : { socketPath: address.path };
  return new Promise((resolve, reject) => {
    const call = request({ ...where, path, agent: false }, response => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ code: response.statusCode, type: response.headers['content-type'], body }));
    });
    call.on('error', reject);
    call.end();
  });
}

describe('the ops server', () => {
  const running: Ops[] = [];
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ops-'));
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map(ops => ops.close()));
    rmSync(folder, { recursive: true });
  });

  async function start(address: OpsAddress) {
    const health = createHealth();
    const metrics = createMetrics({ views: [], processMetrics: false });
    const ops = await startOps({ address, health, registry: metrics.registry, streams: () => [{ view: 'x' }] });
    running.push(ops);
    return { ops, health, metrics, get: (path: string) => get(ops.address, path) };
  }

  test('tells those who reach it from other hosts health without reasons and metrics, and lets nobody debug', async () => {
    const { health, get } = await start({ port: 0, host: '0.0.0.0' });
    health.addReadiness('shard', () => 'waiting for shard root');
    expect(await get('/readyz')).toMatchObject({ code: 500, body: expect.stringContaining('shard failed: reason withheld') });
    expect(await get('/metrics')).toMatchObject({ code: 200 });
    for (const path of ['/debug/process', '/debug/process?collect', '/debug/streams']) expect((await get(path)).code).toBe(404);
  });

  test('answers health with reasons, metrics and open streams', async () => {
    const { health, get } = await start({ port: 0 });
    health.addReadiness('shard', () => 'waiting for shard root');
    expect(await get('/livez')).toMatchObject({ code: 200, type: 'text/plain; charset=utf-8', body: 'ok' });
    expect(await get('/readyz')).toMatchObject({ code: 500, body: expect.stringContaining('waiting for shard root') });
    expect(await get('/readyz?exclude=shard')).toMatchObject({ code: 200 });
    expect(await get('/readyz/ping')).toMatchObject({ code: 200 });
    const metrics = await get('/metrics');
    expect(metrics).toMatchObject({ code: 200, body: expect.stringContaining('audit_dropped_total 0') });
    expect(metrics.type).toContain('version=0.0.4');
    expect(await get('/debug/streams')).toMatchObject({ code: 200, body: '[{"view":"x"}]' });
  });

  test('tells what the process is, and what memory is left in use when all garbage is gone', async () => {
    const { get } = await start({ port: 0 });
    const before = JSON.parse((await get('/debug/process')).body);
    expect(before).toMatchObject({ pid: process.pid, memory: { heapUsed: expect.any(Number), rss: expect.any(Number) } });
    expect(JSON.parse((await get('/debug/process?collect')).body)).toMatchObject({ pid: process.pid });
  });

  test('knows nothing else', async () => {
    const { get } = await start({ port: 0 });
    expect((await get('/')).code).toBe(404);
    expect((await get('/readyz/unknown')).code).toBe(404);
    expect((await get('/debug/pprof')).code).toBe(404);
  });

  test('can be on a Unix socket, which is for its owner only', async () => {
    const path = join(folder, 'ops.sock');
    const before = process.umask();
    const { get } = await start({ path });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(before);
    expect((await get('/livez')).code).toBe(200);
  });

  test('refuses to start where another one listens', async () => {
    const { ops } = await start({ port: 0 });
    await expect(start(ops.address)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await start({ path: join(folder, 'taken.sock') });
    await expect(start({ path: join(folder, 'taken.sock') })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
