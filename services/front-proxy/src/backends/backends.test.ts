import { afterEach, describe, expect, test } from '@jest/globals';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { Address, AddressSource, SocketAddress } from '../addresses/addresses.ts';
import { createEndpointPolicy } from '../endpoints/endpoint-policy.ts';
import { type Backends, createBackends } from './backends.ts';

let backends: Backends;
let errors: unknown[];
afterEach(() => backends.close());

/** Addresses that a test replaces. */
class Source implements AddressSource {
  #views: Record<string, readonly Address[]> = {};
  readonly #listeners = new Set<() => void>();

  set(views: Record<string, readonly Address[]>): void {
    this.#views = views;
    for (const listener of this.#listeners) listener();
  }
  addressesOf = (view: string) => this.#views[view];
  views = () => Object.keys(this.#views);
  onChange(listener: () => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  close(): void {}
}

const at = (instance: string, more: Partial<SocketAddress> = {}): SocketAddress => ({
  service: 'v-vw',
  instance,
  socketPath: `/run/${instance}.sock`,
  ...more,
});

let now: number;
const source = new Source();
function open(...addresses: Address[]): void {
  now = 0;
  errors = [];
  source.set({ v: addresses });
  backends = createBackends({ source, limits: DEFAULT_LIMITS, onError: error => errors.push(error), now: () => now });
}
const backend = (instance: string) => backends.all().find(({ address }) => address.instance === instance);
const ready = (...instances: string[]): void => {
  for (const instance of instances) backend(instance)?.setReady(true);
};
function picked(shard?: string, failed?: ReadonlySet<Upstream>): string {
  const upstream = backends.pick('v', failed, shard);
  if (typeof upstream === 'string') return upstream;
  return backends.all().find(one => one.upstream === upstream)?.address.instance ?? 'nobody';
}
const fail = (instance: string, times = 3): void => {
  const { upstream } = backend(instance) ?? {};
  for (let i = 0; i < times && upstream; i += 1) backends.failed(upstream);
};

describe('a request of a caller who is to stay', () => {
  const pickedFor = (caller: string, failed?: ReadonlySet<Upstream>): string => {
    const upstream = backends.pick('v', failed, undefined, caller);
    return backends.all().find(one => one.upstream === upstream)?.address.instance ?? String(upstream);
  };
  const callers = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi'];

  test('goes to the same process each time, and not all go to one', () => {
    open(at('a'), at('b'));
    ready('a', 'b');
    const first = callers.map(caller => pickedFor(caller));
    expect(callers.map(caller => pickedFor(caller))).toEqual(first);
    expect(new Set(first).size).toBe(2);
  });

  test('goes elsewhere only while that one is not ready, or has failed this request', () => {
    open(at('a'), at('b'));
    ready('a', 'b');
    const own = pickedFor('alice');
    const other = own === 'a' ? 'b' : 'a';
    expect(pickedFor('alice', new Set([backend(own)?.upstream as Upstream]))).toBe(other);
    backend(own)?.setReady(false);
    expect(pickedFor('alice')).toBe(other);
    backend(own)?.setReady(true);
    // It is left alone for a while first.
    now += 60_000;
    expect(pickedFor('alice')).toBe(own);
  });
});

describe('a request for a shard', () => {
  test('goes to who serves it, or any', () => {
    open(at('one', { shard: 'one' }), at('two', { shard: 'two' }));
    ready('one', 'two');
    expect(['one', 'two', undefined].map(shard => picked(shard))).toEqual(['one', 'two', 'one']);
    source.set({ v: [at('one', { shard: 'one' }), at('any')] });
    ready('any');
    expect(picked('two')).toBe('any');
  });

  // Another shard's objects would be an answer that looks right.
  test('finds nobody where there are only others, be it that they are ready', () => {
    open(at('one', { shard: 'one' }));
    ready('one');
    expect([picked('two'), picked('one'), backends.pick('w', undefined, 'one')]).toEqual(['down', 'one', 'unknown']);
  });

  test('follows an instance to another shard without new connections', () => {
    open(at('a', { shard: 'one' }));
    const before = backends.pick('v', undefined, 'one');
    source.set({ v: [at('a', { shard: 'two' })] });
    expect([picked('one'), backends.pick('v', undefined, 'two')]).toEqual(['down', before]);
    expect(backends.all()[0]?.address.shard).toBe('two');
  });
});

describe('a request goes', () => {
  test('to an instance that says that it is ready, and to one that drains when there is nobody else', () => {
    open(at('draining', { ready: false }), at('serving', { ready: true }));
    ready('draining', 'serving');
    expect(picked()).toBe('serving');
    source.set({ v: [at('draining', { ready: false })] });
    expect(picked()).toBe('draining');
  });

  test('past one whose connections fail, for a while', () => {
    open(at('a'), at('b'));
    ready('a', 'b');
    fail('a', 2);
    expect(picked()).toBe('a');
    fail('a', 1);
    expect(picked()).toBe('b');
    now += 1_000;
    expect(picked()).toBe('a');
  });

  test('past one that has stopped to be ready, and for a while when it is again', () => {
    open(at('a'), at('b'));
    ready('a', 'b');
    backend('a')?.setReady(false);
    expect(picked()).toBe('b');
    ready('a');
    expect(picked()).toBe('b');
    now += 1_000;
    expect(picked()).toBe('a');
  });

  test('to the last one whatever it has done, and to one that is ready rather than to one that is not', () => {
    open(at('a'), at('b'));
    ready('a');
    fail('a');
    expect(picked()).toBe('a');
    source.set({ v: [at('a')] });
    expect(picked()).toBe('a');
    expect(picked(undefined, new Set(backends.all().map(({ upstream }) => upstream)))).toBe('a');
  });

  test('to another than those that have failed it', () => {
    open(at('a'), at('b'));
    ready('a', 'b');
    expect(picked(undefined, new Set([backends.all()[0]?.upstream as Upstream]))).toBe('b');
  });

  test('past nobody for what is told of an instance that is gone', () => {
    open(at('a'));
    const gone = backend('a')?.upstream as Upstream;
    source.set({ v: [at('b')] });
    backends.failed(gone);
    expect(picked()).toBe('b');
  });
});

// Without authorities of its own a connection would believe every one of the system's.
test('an address that nothing says whom to believe at is not used, and the others are', () => {
  const policy = createEndpointPolicy({ lists: [], unlisted: 'any' });
  open({ service: 'v-vw', instance: 'a', url: 'https://a.example', policy }, at('b'));
  expect(backends.all().map(({ address }) => address.instance)).toEqual(['b']);
  expect(errors).toEqual([new Error('v-vw is at a url, and there is no certificate to reach it with')]);
});

// A team writes entries of two shards into the status of its own view. What shards there are for other views must not change by that.
test('the shards of a view are those of its own addresses', () => {
  open(at('a'));
  source.set({ v: [at('a')], evil: [at('x', { shard: 'x' }), at('y', { shard: 'y' })] });
  expect([backends.shardsOf('v'), backends.shardsOf('evil'), backends.shardsOf('none')]).toEqual([[undefined], ['x', 'y'], []]);
});

describe('a process under test', () => {
  const tests = new Map<Upstream, { failure: { reason: string; isUntrusted: boolean } | undefined; onResult: () => void }>();
  const result = (instance: string, failure?: { reason: string; isUntrusted: boolean }): void => {
    const test = tests.get(backend(instance)?.upstream as Upstream);
    if (test === undefined) throw new Error(`${instance} is not tested`);
    test.failure = failure;
    test.onResult();
  };
  const openTested = (...addresses: Address[]): void => {
    source.set({ v: addresses });
    backends = createBackends({
      ...{ source, limits: DEFAULT_LIMITS, onError: () => undefined },
      test(upstream, onResult) {
        const state = { failure: { reason: 'not yet', isUntrusted: false }, onResult };
        tests.set(upstream, state);
        return { failure: () => tests.get(upstream)?.failure, stop: () => void tests.delete(upstream) };
      },
    });
  };
  const wrong = { reason: 'callers arrive as others', isUntrusted: true };

  test('gets no requests before it has passed, even if it is the only one, and wakes who waits', async () => {
    openTested(at('a'));
    expect(backends.pick('v')).toBe('down');
    const woken = backends.changed(10_000);
    result('a');
    expect(await woken).toBe(true);
    expect(backends.pick('v')).toBe(backend('a')?.upstream);
  });

  test('gets none when it has failed, and those that have passed get them all', () => {
    openTested(at('a'), at('b'));
    result('a', wrong);
    expect(backends.pick('v')).toBe('down');
    result('b');
    ready('a', 'b');
    expect(backends.pick('v')).toBe(backend('b')?.upstream);
    result('b', wrong);
    expect(backends.pick('v')).toBe('untrusted');
  });
});
