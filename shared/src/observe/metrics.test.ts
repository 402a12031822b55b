import { describe, expect, test } from '@jest/globals';
import { createMetrics } from './metrics.ts';

const create = () => createMetrics({ views: ['initializingworkspaces'], processMetrics: false });

describe('the metrics of a process', () => {
  test('count a request as in flight until it ends, and then its duration by method, code and view', async () => {
    const metrics = create();
    const finished = metrics.requestStarted();
    expect(await metrics.registry.metrics()).toContain('proxy_requests_in_flight 1');
    finished({ method: 'GET', code: 200, view: 'initializingworkspaces', startedAt: performance.now() - 3_000 });
    const text = await metrics.registry.metrics();
    expect(text).toContain('proxy_requests_in_flight 0');
    expect(text).toContain('proxy_request_duration_seconds_count{method="GET",code="200",view="initializingworkspaces"} 1');
    expect(text).toContain('bucket{le="2.5",method="GET",code="200",view="initializingworkspaces"} 0');
  });

  test('do not let a client invent label values', async () => {
    const metrics = create();
    for (const view of ['constructor', 'a', 'b']) {
      metrics.requestStarted()({ method: 'BREW', code: 999, view, startedAt: performance.now() });
    }
    metrics.requestStarted()({ method: 'GET', code: 404, view: undefined, startedAt: performance.now() });
    metrics.rejected('because I say so');
    const text = await metrics.registry.metrics();
    expect(text).toContain('proxy_request_duration_seconds_count{method="other",code="none",view="other"} 3');
    expect(text).toContain('proxy_request_duration_seconds_count{method="GET",code="404",view="none"} 1');
    expect(text).toContain('proxy_rejected_total{reason="other"} 1');
    expect(text).not.toMatch(/BREW|constructor|"999"|because/);
  });

  test('ask upstreams at each scrape what they use, and add up those of one role', async () => {
    const metrics = create();
    const stats = { unaryConnections: 2, unaryInFlight: 1, watchSessions: 1, watchStreams: 40 };
    metrics.observeUpstream('shard', { stats: () => stats });
    metrics.observeUpstream('shard', { stats: () => ({ ...stats, watchStreams: 2 }) });
    const text = await metrics.registry.metrics();
    expect(text).toContain('upstream_unary_connections{upstream="shard"} 4');
    expect(text).toContain('upstream_requests_in_flight{upstream="shard"} 2');
    expect(text).toContain('upstream_watch_sessions{upstream="shard"} 2');
    expect(text).toContain('upstream_watch_streams{upstream="shard"} 42');
  });

  test('show whether informers are synced, and how often they listed', async () => {
    const metrics = create();
    let informer = { synced: false, relists: 0 };
    metrics.observeInformer('workspacetypes', () => informer);
    expect(await metrics.registry.metrics()).toContain('informer_synced{resource="workspacetypes"} 0');
    informer = { synced: true, relists: 3 };
    const text = await metrics.registry.metrics();
    expect(text).toContain('informer_synced{resource="workspacetypes"} 1');
    expect(text).toContain('informer_relists{resource="workspacetypes"} 3');
  });

  test('show informers of one resource, of several shards, together', async () => {
    const metrics = create();
    metrics.observeInformer('workspacetypes', () => ({ synced: true, relists: 3 }));
    metrics.observeInformer('workspacetypes', () => ({ synced: false, relists: 1 }));
    const text = await metrics.registry.metrics();
    expect(text).toContain('informer_synced{resource="workspacetypes"} 0');
    expect(text).toContain('informer_relists{resource="workspacetypes"} 4');
  });

  test('count authentications, access reviews, refusals and lost audit lines, from 0', async () => {
    const metrics = create();
    metrics.authentication('failure');
    metrics.accessReview('hit');
    metrics.rejected('TooManyRequests');
    metrics.rejected('clientRate');
    metrics.auditDropped(7);
    const text = await metrics.registry.metrics();
    expect(text).toContain('authentication_attempts{result="failure"} 1');
    expect(text).toContain('authentication_attempts{result="success"} 0');
    expect(text).toContain('authorization_reviews_total{result="hit"} 1');
    expect(text).toContain('proxy_rejected_total{reason="TooManyRequests"} 1');
    expect(text).toContain('proxy_rejected_total{reason="clientRate"} 1');
    expect(text).toContain('audit_dropped_total 7');
  });

  test('of two processes in one (tests, single topology) do not mix', async () => {
    const [one, other] = [create(), create()];
    one.auditDropped(1);
    expect(await other.registry.metrics()).toContain('audit_dropped_total 0');
  });

  test('include those of the process', async () => {
    const metrics = createMetrics({ views: [] });
    expect(await metrics.registry.metrics()).toContain('process_resident_memory_bytes');
    metrics.close();
  });
});
