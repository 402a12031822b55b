import { describe, expect, test } from '@jest/globals';
import { createDrain } from '@kcp-vw/shared/answer/drain.ts';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { headerValues } from '@kcp-vw/shared/listener/headers.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import { fakeExchange } from '@kcp-vw/shared/testing/fake-exchange.ts';
import { type FakeResponse, fakeUpstream } from '@kcp-vw/shared/testing/fake-upstream.ts';
import { type Upstream, UpstreamError, type UpstreamFailure } from '@kcp-vw/shared/upstream/upstream.ts';
import { type RequestRecord, recordHeader } from '@kcp-vw/shared/view/record.ts';
import type { Backends } from './backends/backends.ts';
import { UNKNOWN_SHARD } from './door/shard-of.ts';
import { createRouter } from './router.ts';

const caller: Caller = { name: 'jörg', uid: 'u', groups: ['a,b', 'c'], extra: { 'x/y': ['1', '2'] }, method: 'certificate' };

/** Backends as a test says, one after the other each time that they are asked for. */
function backendsOf(...picks: (Upstream | 'down' | 'unknown')[]) {
  let waits = 0;
  const failed: Upstream[] = [];
  const backends: Backends = {
    pick: () => (picks.length > 1 ? picks.shift() : picks[0]) as Upstream,
    failed: upstream => void failed.push(upstream),
    changed: async () => {
      waits++;
      return true;
    },
    all: () => [],
    shardsOf: () => [],
    close: async () => undefined,
  };
  return { backends, failed, waits: () => waits };
}

async function route(
  backends: Backends,
  {
    url = '/services/v/x',
    method = 'GET',
    headers = [] as string[],
    body = undefined as string | undefined,
    shard = undefined as string | undefined,
  } = {},
) {
  const exchange = fakeExchange(method, url, { headers, ...(body !== undefined && { body }) });
  const record: RequestRecord = {};
  const outcome = await createRouter(backends, createDrain())(exchange, caller, parseTarget(url), record, shard);
  return { exchange, record, outcome };
}

const service = (answer: FakeResponse | UpstreamFailure = { body: { ok: true } }) => fakeUpstream(() => answer);

describe('the router', () => {
  test('sends a request on in the caller’s bytes, stamped with the identity that was worked out', async () => {
    const upstream = service();
    const forged = ['x-remote-user', 'admin', 'X-Remote-Group', 'system:masters', 'x-kcp-vw-impersonator', 'x'];
    await route(backendsOf(upstream).backends, { url: '/services/v/a%3Ab?x=%20', headers: forged });
    const [request] = upstream.requests;
    expect(request?.path).toBe('/services/v/a%3Ab?x=%20');
    expect(headerValues(request?.headers ?? [], 'x-remote-user').map(value => Buffer.from(value, 'latin1').toString())).toEqual([
      'jörg',
    ]);
    expect(headerValues(request?.headers ?? [], 'x-remote-group')).toEqual(['a,b', 'c']);
    expect(headerValues(request?.headers ?? [], 'x-kcp-vw-impersonator')).toEqual([]);
  });

  test('takes what the service says of the request out of the answer and into the record', async () => {
    const headers = [...recordHeader({ view: 'v', verb: 'list', because: 'größer' }), 'x-other', 'y'];
    const { exchange, record } = await route(backendsOf(service({ headers, body: {} })).backends);
    expect(record).toEqual({ view: 'v', verb: 'list', because: 'größer' });
    expect(exchange.responseHeaders).toEqual(['x-other', 'y']);
  });

  test('says that a view is unknown without an answer of its own', async () => {
    const { exchange, outcome } = await route(backendsOf('unknown').backends);
    expect([outcome, exchange.status]).toEqual(['unknown', 0]);
  });

  // A service that is killed costs what was in flight, nothing else: the others wait until it is back.
  test('waits for a service that restarts', async () => {
    const { backends, waits } = backendsOf('down', 'down', service());
    const { exchange } = await route(backends);
    expect([exchange.status, waits()]).toEqual([200, 2]);
  });

  test('sends a request of which nothing was sent to the next process, its body included', async () => {
    const next = service();
    const dead: Upstream = {
      ...service(),
      dispatch: (_, handler) => {
        setImmediate(() => handler.onError(new UpstreamError('unreachable', 'gone')));
        return { resume: () => undefined, abort: () => undefined };
      },
    };
    const { backends, failed } = backendsOf(dead, next);
    const { exchange } = await route(backends, { method: 'POST', body: '{"a":1}' });
    expect(exchange.status).toBe(200);
    expect(failed).toEqual([dead]);
    expect(next.requests.map(({ body }) => body)).toEqual(['{"a":1}']);
  });

  test('never sends again what may have arrived', async () => {
    const upstream = service('reset');
    const { backends, failed } = backendsOf(upstream);
    const { exchange } = await route(backends, { method: 'POST', body: '{}' });
    expect([exchange.status, upstream.requests.length]).toEqual([502, 1]);
    expect(failed).toEqual([upstream]);
  });

  test.each(['untrusted', 'timeout', 'busy'] as const)('knows what %s says of a service', async failure => {
    const { backends, failed } = backendsOf(service(failure));
    await route(backends);
    expect(failed).toHaveLength(failure === 'untrusted' ? 1 : 0);
  });

  test('has nothing to say of a service that answers, whatever it answers', async () => {
    const { backends, failed } = backendsOf(service({ status: 503, body: {} }));
    await route(backends);
    expect(failed).toEqual([]);
  });

  describe('with services of several shards', () => {
    const ofShards = (...shards: (string | undefined)[]) => {
      const asked: (string | undefined)[] = [];
      const backends: Backends = {
        ...backendsOf().backends,
        pick(_view, _failed, shard) {
          asked.push(shard);
          return service();
        },
        shardsOf: () => shards,
      };
      return { backends, asked };
    };

    test('asks for one of the shard that the request is for', async () => {
      const { backends, asked } = ofShards('root', 'shard-1');
      await route(backends, { shard: 'shard-1' });
      expect(asked).toEqual(['shard-1']);
    });

    test('rejects a request for none of them, before anything is sent', async () => {
      const { backends, asked } = ofShards('root', 'shard-1');
      for (const shard of [UNKNOWN_SHARD, undefined]) {
        await expect(route(backends, { ...(shard !== undefined && { shard }) })).rejects.toThrow('none of the shards');
      }
      expect(asked).toEqual([]);
    });

    test('asks for any where the view is the same for all shards', async () => {
      const { backends, asked } = ofShards('root', 'shard-1');
      for (const shard of [UNKNOWN_SHARD, undefined, 'shard-1']) {
        await route(backends, { url: '/services/workspaces/x', ...(shard !== undefined && { shard }) });
      }
      expect(asked).toEqual([undefined, undefined, undefined]);
    });

    test('asks for any where the services make no difference', async () => {
      const { backends, asked } = ofShards(undefined, undefined);
      await route(backends, { shard: UNKNOWN_SHARD });
      await route(backends);
      expect(asked).toEqual([undefined, undefined]);
    });
  });

  test.each([
    ['?watch=true', true],
    ['?watch=1', true],
    ['?watch', true],
    ['?watch=f', true],
    ['?watch=false', false],
    ['?watch=0', false],
    ['?follow=true', true],
    ['', false],
  ])('gives a request with the query %j connections of streams: %s', async (query, longRunning) => {
    const upstream = service();
    await route(backendsOf(upstream).backends, { url: `/services/v/x${query}` });
    expect(upstream.requests[0]).toMatchObject({ longRunning });
  });
});
