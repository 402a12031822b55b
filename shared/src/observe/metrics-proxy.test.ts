import { describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { proxyMetrics } from './metrics-proxy.ts';

function create(shards: readonly string[] = []) {
  const registry = new Registry();
  const clock = { milliseconds: 0 };
  return { metrics: proxyMetrics([registry], shards, () => clock.milliseconds), clock, text: () => registry.metrics() };
}

const sslError = (code: string): Error => Object.assign(new Error('ssl'), { code });

describe('the metrics of a front proxy', () => {
  test('show open tunnels by protocol, each counted once however often its end is told', async () => {
    const { metrics, text } = create();
    expect(await text()).toContain('proxy_upgrades_active{protocol="spdy"} 0');
    const ends = ['websocket', 'WebSocket', 'SPDY/3.1', 'tcp-over-carrier-pigeon'].map(name => metrics.upgradeStarted(name));
    expect(await text()).toContain('proxy_upgrades_active{protocol="websocket"} 2');
    expect(await text()).toContain('proxy_upgrades_active{protocol="spdy"} 1');
    expect(await text()).toContain('proxy_upgrades_active{protocol="other"} 1');
    for (const end of [...ends, ...ends]) end();
    expect(await text()).toContain('proxy_upgrades_active{protocol="websocket"} 0');
    expect(await text()).not.toContain('pigeon');
  });

  test('add up bytes by shard, of those that are configured', async () => {
    const { metrics, text } = create(['root', 'shard-1']);
    metrics.backendBytes('root', 10, 100);
    metrics.backendBytes('root', 0, 1);
    metrics.backendBytes('shard-1', 3, 0);
    metrics.backendBytes('invented', 1, 7);
    metrics.backendBytes(undefined, 2, 5);
    const shown = await text();
    for (const line of [
      'kcp_backend_rq_body_bytes{shard="root"} 10',
      'kcp_backend_rs_body_bytes{shard="root"} 101',
      'kcp_backend_rq_body_bytes{shard="shard-1"} 3',
      'kcp_backend_rs_body_bytes{shard="other"} 7',
      'kcp_backend_rs_body_bytes{shard="none"} 5',
    ]) {
      expect(shown).toContain(line);
    }
    expect(shown).not.toContain('invented');
    // A scrape takes nothing away.
    expect(await text()).toBe(shown);
  });

  test('count forged headers, from 0', async () => {
    const { metrics, text } = create();
    expect(await text()).toContain('proxy_header_forgery_total 0');
    metrics.headerForgery();
    expect(await text()).toContain('proxy_header_forgery_total 1');
  });

  test('count failed connections where TLS was what failed', async () => {
    const { metrics, text } = create();
    metrics.connectionFailed(sslError('ERR_SSL_NO_SHARED_CIPHER'));
    metrics.connectionFailed(sslError('HPE_INVALID_METHOD'));
    metrics.connectionFailed(sslError('ECONNRESET'));
    const lines = (await text()).split('\n').filter(line => line.startsWith('kcp_listener_tls_connection_error'));
    expect(lines).toEqual(['kcp_listener_tls_connection_error{error_type="cipher_mismatch"} 1']);
  });

  test('show of how many clients is kept count', async () => {
    const { metrics, text } = create();
    expect(await text()).toContain('proxy_clients_counted 0');
    metrics.observeClients(() => 7);
    expect(await text()).toContain('proxy_clients_counted 7');
  });

  test('name no more than twenty throttled clients, and let go of those that were left alone', async () => {
    const { metrics, clock, text } = create();
    for (let i = 0; i < 30; i++) metrics.clientThrottled(`client-${i}`);
    metrics.clientThrottled('client-0');
    const shown = await text();
    expect(shown.match(/client="client-/g)).toHaveLength(20);
    expect(shown).toContain('client_throttled_total{client="client-0"} 2');
    expect(shown).toContain('client_throttled_total{client="other"} 10');

    clock.milliseconds = 500_000;
    metrics.clientThrottled('client-0');
    clock.milliseconds = 600_000;
    metrics.clientThrottled('client-29');
    const later = await text();
    expect(later.match(/client="client-/g)).toHaveLength(20);
    expect(later).toContain('client_throttled_total{client="client-0"} 3');
    expect(later).toContain('client_throttled_total{client="client-29"} 1');
    expect(later).toContain('client_throttled_total{client="other"} 10');
  });
});
