import { describe, expect, test } from '@jest/globals';
import { UNKNOWN_SHARD } from '@kcp-vw/front-proxy/door/shard-of.ts';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import { fakeExchange } from '@kcp-vw/shared/testing/fake-exchange.ts';
import { fakeUpstream } from '@kcp-vw/shared/testing/fake-upstream.ts';
import type { View } from '@kcp-vw/shared/view/view.ts';
import { type LocalService, localRouter } from './local-router.ts';

const caller: Caller = { name: 'ada', uid: '', groups: [], extra: {}, method: 'token' };

/** A service of a view, which answers with its shard. */
const local = (view: string, shard?: string): LocalService => ({
  ...(shard !== undefined && { shard }),
  service: {
    views: [{ name: view } as View],
    host: async exchange => {
      exchange.writeHead(200, []);
      exchange.end(`${view} of ${shard}`);
    },
    control: fakeUpstream(() => ({})),
    drain: () => undefined,
    stop: async () => undefined,
  },
});

async function route(services: readonly LocalService[], url: string, shard?: string) {
  const exchange = fakeExchange('GET', url);
  const outcome = await localRouter(services)(exchange, caller, parseTarget(url), {}, shard);
  return outcome === 'done' ? exchange.text : outcome;
}

describe('the router within one process', () => {
  const several = ['root', 'shard-1'].flatMap(shard => [local('one', shard), local('two', shard)]);

  test('goes by the view, and by the shard where there are several', async () => {
    expect(await route(several, '/services/two/x', 'shard-1')).toBe('two of shard-1');
    expect(await route(several, '/services/one/x', 'root')).toBe('one of root');
    expect(await route(several, '/services/three/x', 'root')).toBe('unknown');
  });

  test('says of services that are still to come that they are not there yet', async () => {
    const services = [local('one')];
    const router = localRouter(services, ['late']);
    const ask = async () => {
      const exchange = fakeExchange('GET', '/services/late/x');
      await router(exchange, caller, parseTarget('/services/late/x'), {}, undefined);
      return exchange.text;
    };
    await expect(ask()).rejects.toMatchObject({ code: 503 });
    services.push(local('late'));
    expect(await ask()).toBe('late of undefined');
  });

  test('does not guess a shard', async () => {
    for (const shard of [undefined, UNKNOWN_SHARD]) {
      await expect(route(several, '/services/one/x', shard)).rejects.toThrow('none of the shards');
    }
  });

  test('says that a shard is not served, and does not serve another in its place', async () => {
    await expect(route(several, '/services/one/x', 'shard-2')).rejects.toThrow('one is not served for the shard shard-2 here');
  });

  test('takes any service of a view that is the same for all shards, whatever the request was addressed to', async () => {
    const ofAll = ['root', 'shard-1'].map(shard => local('workspaces', shard));
    for (const shard of [undefined, UNKNOWN_SHARD, 'root', 'shard-2']) {
      expect(await route(ofAll, '/services/workspaces/x', shard)).toBe('workspaces of root');
    }
  });

  test('needs no shard where there is one, named or not', async () => {
    expect(await route([local('one')], '/services/one/x')).toBe('one of undefined');
    expect(await route([local('one')], '/services/one/x', 'root')).toBe('one of undefined');
    expect(await route([local('one', 'root')], '/services/one/x')).toBe('one of root');
  });
});
