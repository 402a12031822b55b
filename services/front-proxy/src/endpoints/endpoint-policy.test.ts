/** Server-side request forgery: whoever can write an entry, or the addresses of a name, wants the front proxy to ask what he cannot ask himself. */
import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from '@jest/globals';
import { parseAllowedEndpoints } from './allowed-endpoints.ts';
import { createEndpointPolicy, type EndpointPolicyOptions } from './endpoint-policy.ts';

const listOf = (...entries: string[]) => parseAllowedEndpoints(entries, 'the list');
const own = { host: '0.0.0.0', ports: [6443], ofThisHost: () => ['10.0.0.5', 'fd00::5'] };

const refusal = (url: string, options: Partial<EndpointPolicyOptions> = {}): string | undefined =>
  createEndpointPolicy({ lists: [listOf('*.example', '0.0.0.0/0', '::/0')], unlisted: 'nothing', own, ...options }).refusalOf(
    url,
  );

/** What is dialled for a URL when its name has these addresses. */
function dialled(url: string, addresses: string[], options: Partial<EndpointPolicyOptions> = {}) {
  const policy = createEndpointPolicy({
    lists: [listOf('*.example')],
    unlisted: 'nothing',
    resolve: (_name, _options, callback) =>
      callback(
        null,
        addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
      ),
    ...options,
  });
  const found = Promise.withResolvers<string[] | string>();
  policy.lookupFor(url)(new URL(url).hostname, { all: true }, (error, answer) =>
    found.resolve(error ? error.message : (answer as LookupAddress[]).map(({ address }) => address)),
  );
  return found.promise;
}

describe('a registered URL', () => {
  test.each([
    'http://a.example',
    'https://user@a.example',
    'https://user:secret@a.example',
    'https://a.example/path',
    'https://a.example?x',
  ])('is no %s, which is not repeated since it may have a password', url => {
    expect(refusal(url)).toBe('its url is not https://host:port and nothing else');
  });

  // Every spelling of the same few addresses that a parser takes: the host's own ports, and the cloud's credentials.
  test.each([
    ['https://127.0.0.1', 'loopback'],
    ['https://127.1', 'loopback'],
    ['https://2130706433', 'loopback'],
    ['https://0x7f000001', 'loopback'],
    ['https://0177.0.0.1', 'loopback'],
    ['https://[::1]', 'loopback'],
    ['https://[::ffff:7f00:1]', 'loopback'],
    ['https://[::ffff:127.0.0.1]', 'loopback'],
    ['https://[::7f00:1]', 'loopback'],
    ['https://[::ffff:0:7f00:1]', 'loopback'],
    ['https://[64:ff9b::7f00:1]', 'loopback'],
    ['https://[64:ff9b:1::7f00:1]', 'loopback'],
    ['https://[2002:7f00:1::]', 'loopback'],
    ['https://169.254.169.254', 'link-local'],
    ['https://[::ffff:a9fe:a9fe]', 'link-local'],
    ['https://[2002:a9fe:a9fe::1]', 'link-local'],
    ['https://[fe80::1]', 'link-local'],
    ['https://0.0.0.0', 'unspecified'],
    ['https://[::]', 'unspecified'],
    ['https://224.0.0.1', 'multicast'],
    ['https://[ff02::1]', 'multicast'],
    ['https://255.255.255.255', 'broadcast'],
  ])('is not %s, which is %s, even where every address is allowed', (url, kind) => {
    expect(refusal(url)).toContain(` is ${kind}, which only an entry for just that allows`);
  });

  test.each([
    ['127.0.0.1', 'https://127.0.0.1:9443'],
    ['127.0.0.0/8', 'https://127.0.0.1:9443'],
    ['127.0.0.1:9443', 'https://127.0.0.1:9443'],
    ['::1', 'https://[::1]:9443'],
    ['169.254.169.0/24', 'https://169.254.169.1'],
    ['127.0.0.1', 'https://[::ffff:7f00:1]:9443'],
  ])('is at a special address where the list means it: %s', (entry, url) => {
    expect(refusal(url, { lists: [listOf(entry)] })).toBeUndefined();
  });

  test('has the port that is allowed, and no other', () => {
    const lists = [listOf('a.example:6443', '127.0.0.1:9443')];
    expect(refusal('https://a.example:6443', { lists })).toBeUndefined();
    expect(refusal('https://a.example', { lists })).toBe('a.example:443 is not among the allowed endpoints');
    expect(refusal('https://127.0.0.1:22', { lists })).toBe('127.0.0.1:22 is not among the allowed endpoints');
  });

  test('has to be in both lists where there are two, and is nowhere without one', () => {
    const lists = [listOf('*.example'), listOf('a.example', '127.0.0.1')];
    expect(refusal('https://a.example', { lists })).toBeUndefined();
    expect(refusal('https://b.example', { lists })).toBe('b.example:443 is not among the allowed endpoints');
    expect(refusal('https://127.0.0.1', { lists })).toBe('127.0.0.1:443 is not among the allowed endpoints');
    expect(refusal('https://a.example', { lists: [] })).toMatch(/^nothing says where endpoints may be/);
    expect(refusal('https://a.example', { lists: [listOf()] })).toBe('a.example:443 is not among the allowed endpoints');
  });

  // A request would be sent round until the hops are used up.
  test.each(['https://10.0.0.5:6443', 'https://127.0.0.1:6443', 'https://[fd00::5]:6443', 'https://[::ffff:a00:5]:6443'])(
    'is not %s, where the front proxy itself listens',
    url => {
      expect(refusal(url)).toContain(' is the front proxy itself');
      expect(refusal(url.replace('6443', '443'))).not.toBe(refusal(url));
    },
  );

  test('may share the port of a front proxy that has one address only', () => {
    const bound = { host: '10.0.0.5', ports: [6443] };
    expect(refusal('https://10.0.0.5:6443', { own: bound })).toBe('10.0.0.5 is the front proxy itself');
    expect(refusal('https://10.0.0.6:6443', { own: bound })).toBeUndefined();
  });
});

describe('a name', () => {
  test('is dialled where it leads, but for the addresses that are refused', async () => {
    expect(await dialled('https://a.example', ['10.0.0.1', '169.254.169.254', 'fd00::1'])).toEqual(['10.0.0.1', 'fd00::1']);
  });

  test.each(['127.0.0.1', '::1', '169.254.169.254', 'fe80::1%eth0', '::ffff:127.0.0.1', '64:ff9b::a9fe:a9fe', '0.0.0.0'])(
    'that leads to %s is not dialled at all',
    async address => {
      expect(await dialled('https://a.example', [address])).toMatch(
        /^a\.example may not be dialled: .* only an entry for just that allows$/,
      );
    },
  );

  test('leads to a special address only where each list has it', async () => {
    const both = [listOf('*.example', '127.0.0.1'), listOf('*.example', '127.0.0.0/8')];
    expect(await dialled('https://a.example', ['127.0.0.1'], { lists: both })).toEqual(['127.0.0.1']);
    expect(await dialled('https://a.example', ['127.0.0.2'], { lists: both })).toMatch(/may not be dialled/);
    expect(await dialled('https://a.example', ['127.0.0.1'], { lists: [both[0] ?? listOf(), listOf('*.example')] })).toMatch(
      /may not/,
    );
  });

  // Otherwise any name in an allowed domain could lead to the loopback address as soon as localhost is allowed for a test.
  test('localhost allows itself to be loopback, and no other name', async () => {
    const lists = [listOf('localhost', '*.example')];
    expect(await dialled('https://localhost:6443', ['127.0.0.1', '::1'], { lists })).toEqual(['127.0.0.1', '::1']);
    expect(await dialled('https://localhost', ['169.254.169.254'], { lists })).toMatch(/may not be dialled/);
    expect(await dialled('https://a.example', ['127.0.0.1'], { lists })).toMatch(/may not be dialled/);
  });

  test('that leads to the front proxy is not dialled at its port', async () => {
    expect(await dialled('https://a.example:6443', ['10.0.0.5'], { own })).toBe(
      'a.example may not be dialled: 10.0.0.5 is the front proxy itself',
    );
    expect(await dialled('https://a.example:7443', ['10.0.0.5'], { own })).toEqual(['10.0.0.5']);
  });

  test('of a file may be loopback, since the operator says so, and nothing that no service can have', async () => {
    const file = { lists: [], unlisted: 'any' } as const;
    expect(await dialled('https://a.example', ['127.0.0.1', '169.254.169.254', '::'], file)).toEqual(['127.0.0.1']);
    expect(refusal('https://127.0.0.1:9443', file)).toBeUndefined();
    expect(refusal('https://169.254.169.254', file)).toMatch(/link-local/);
  });

  test('without an address, and one that is not found, is an error', async () => {
    expect(await dialled('https://a.example', [])).toBe('a.example may not be dialled: it has no address');
    const unknown = Object.assign(new Error('getaddrinfo ENOTFOUND a.example'), { code: 'ENOTFOUND' });
    expect(await dialled('https://a.example', [], { resolve: (_name, _options, callback) => callback(unknown, []) })).toBe(
      unknown.message,
    );
  });
});

test('policies are the same when their lists are', () => {
  const key = (...lists: string[][]) =>
    createEndpointPolicy({ lists: lists.map(list => listOf(...list)), unlisted: 'nothing' }).key;
  expect(key(['a'], ['b'])).toBe(key(['a'], ['b']));
  expect(key(['a'], ['b'])).not.toBe(key(['a', 'b']));
  expect(key(['a'])).not.toBe(createEndpointPolicy({ lists: [listOf('a')], unlisted: 'any' }).key);
});
