import { describe, expect, test } from '@jest/globals';
import { createHealth } from './health.ts';

function create() {
  const health = createHealth();
  let missing: string | undefined = 'waiting for the shard';
  health.addReadiness('informers', () => missing);
  return {
    health,
    sync: () => {
      missing = undefined;
    },
    get: (url: string, reasons?: boolean) => {
      const { pathname, searchParams } = new URL(url, 'http://x');
      return health.respond(pathname, searchParams, reasons);
    },
  };
}

describe('the health endpoints', () => {
  test('are live from the start, and ready when every check is well', () => {
    const { get, sync } = create();
    expect(get('/livez')).toEqual({ code: 200, body: 'ok' });
    expect(get('/readyz')?.code).toBe(500);
    expect(get('/healthz')?.code).toBe(500);
    sync();
    expect(get('/readyz')).toEqual({ code: 200, body: 'ok' });
    expect(get('/healthz')).toEqual({ code: 200, body: 'ok' });
  });

  test('list the checks on failure, without the reasons that are nobody’s business', () => {
    const { get } = create();
    const body = '[+]ping ok\n[-]informers failed: reason withheld\n[+]shutdown ok\nreadyz check failed\n';
    expect(get('/readyz')).toEqual({ code: 500, body });
  });

  test('tell the reasons on the ops port', () => {
    const { get } = create();
    expect(get('/readyz', true)?.body).toContain('[-]informers failed: waiting for the shard\n');
    expect(get('/readyz/informers', true)?.body).toBe('internal server error: waiting for the shard\n');
  });

  test('list the checks on success when asked to be verbose', () => {
    const { get, sync } = create();
    sync();
    expect(get('/readyz?verbose')?.body).toBe('[+]ping ok\n[+]informers ok\n[+]shutdown ok\nreadyz check passed\n');
    expect(get('/livez?verbose=1')?.body).toBe('[+]ping ok\nlivez check passed\n');
  });

  test('leave out what is excluded, and say so when there is no such check', () => {
    const { get } = create();
    expect(get('/readyz?verbose&exclude=informers&exclude=nonsense')).toEqual({
      code: 200,
      body:
        '[+]ping ok\n[+]informers excluded: ok\n[+]shutdown ok\n' +
        'warn: some health checks cannot be excluded: no matches for "nonsense"\nreadyz check passed\n',
    });
  });

  test('answer for a single check', () => {
    const { get } = create();
    expect(get('/readyz/ping')).toEqual({ code: 200, body: 'ok' });
    expect(get('/readyz/informers')).toEqual({ code: 500, body: 'internal server error: reason withheld\n' });
  });

  test('are not ready while draining, though still live', () => {
    const { get, health, sync } = create();
    sync();
    health.setDraining();
    expect(get('/readyz')?.body).toContain('[-]shutdown failed');
    expect(get('/livez')?.code).toBe(200);
    expect(get('/healthz')?.code).toBe(200);
  });

  test('fail on a liveness check everywhere, and on a check that throws', () => {
    const { get, health, sync } = create();
    sync();
    health.addLiveness('loop', () => {
      throw new Error('stuck');
    });
    expect(['/livez', '/readyz', '/healthz'].map(path => get(path, true)?.code)).toEqual([500, 500, 500]);
    expect(get('/livez', true)?.body).toContain('[-]loop failed: stuck');
  });

  test.each(['/', '/livezz', '/readyz/', '/readyz/unknown', '/livez/informers', '/clusters/x/readyz'])('are not %s', path => {
    expect(create().get(path)).toBeUndefined();
  });

  test('have each name once', () => {
    const { health } = create();
    expect(() => health.addReadiness('informers', () => undefined)).toThrow('exists already');
  });
});
