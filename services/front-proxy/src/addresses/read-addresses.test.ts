import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseAllowedEndpoints } from '../endpoints/allowed-endpoints.ts';
import { createEndpointPolicy } from '../endpoints/endpoint-policy.ts';
import { readAddresses } from './read-addresses.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'read-addresses-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const anywhere = createEndpointPolicy({ lists: [], unlisted: 'any' });

function read(content: unknown, { withUrls = true, policy = anywhere } = {}) {
  const file = join(folder, 'addresses.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readAddresses({ file, withUrls, policy });
}
const at = (address: object) => read({ views: { one: [address] } });
const pod = { service: 'a-vw', instance: 'a-vw-0' };

describe('a file of addresses', () => {
  test('has services at Unix sockets and at URLs, and views that nobody serves now', () => {
    const socket = { ...pod, socketPath: '/run/a.sock' };
    const urls = ['https://a-vw:6443', 'https://10.0.0.1', 'https://[::1]:6443/'].map((url, i) => ({
      ...pod,
      instance: `${i}`,
      url,
      policy: anywhere,
    }));
    expect(Object.fromEntries(read({ views: { one: [socket], two: urls, three: [] } }))).toEqual({
      one: [socket],
      two: urls,
      three: [],
    });
  });

  // What follows the port would be lost on the way, and a password would end up in a log.
  test.each([
    'http://a-vw:6443',
    'https://user@a-vw',
    'https://user:secret@a-vw',
    'https://a-vw/path',
    'https://a-vw//',
    'https://a-vw?query',
    'https://a-vw?',
    'https://a-vw#',
    'https:\\\\a-vw',
    'https:a-vw',
    'https://a-vw:65536',
    'https://a vw',
    ' https://a-vw',
    'https://a-vw\n',
    'https://a-vw\\@evil',
    'a-vw:6443',
  ])('does not have the url %j, and is refused without repeating it', url => {
    const refusal = (() => {
      try {
        at({ ...pod, url });
      } catch (error) {
        return (error as Error).message;
      }
      return 'accepted';
    })();
    expect(refusal).toBe(`${join(folder, 'addresses.json')}: the url of a-vw a-vw-0 is not https://host:port and nothing else`);
  });

  test.each([
    {},
    { service: 'a-vw', url: 'https://a-vw' },
    { instance: 'x', url: 'https://a-vw' },
    pod,
    { ...pod, url: '' },
    { ...pod, url: 1 },
    { ...pod, url: 'https://a-vw', socketPath: '/run/a.sock' },
    { ...pod, instance: 1, url: 'https://a-vw' },
  ])('does not have the address %j', address => {
    expect(() => at(address)).toThrow('an address of one is not {service, instance, socketPath} or {service, instance, url}');
  });

  test.each([
    ['{', 'is not JSON'],
    ['[]', '"views" is missing'],
    ['{"views": []}', '"views" is missing'],
    ['{"views": {"one": {}}}', 'the addresses of one are not a list'],
    ['{"views": {"one": [null]}}', 'an address of one is not'],
  ])('is not %s', (content, message) => {
    expect(() => read(content)).toThrow(message);
  });

  test('has no urls where there is no certificate to reach them with', () => {
    expect(() => read({ views: { one: [{ ...pod, url: 'https://a-vw' }] } }, { withUrls: false })).toThrow(
      /needs --services-ca-file/,
    );
  });

  // The operator's own word, and still nobody runs a service there: such an address is a mistake, or somebody else's wish for credentials.
  test.each(['https://169.254.169.254', 'https://[fe80::1]', 'https://0.0.0.0:6443', 'https://[::]', 'https://224.0.0.1'])(
    'does not have %s, where no service can be',
    url => {
      expect(() => at({ ...pod, url })).toThrow(/the url of a-vw a-vw-0 is refused: /);
    },
  );

  test('is bound to the allowed endpoints where they are given', () => {
    const policy = createEndpointPolicy({ lists: [parseAllowedEndpoints(['a-vw'], '--allowed-endpoints')], unlisted: 'any' });
    const inFile = (url: string) => read({ views: { one: [{ ...pod, url }] } }, { policy });
    expect(inFile('https://a-vw:6443').get('one')).toMatchObject([{ url: 'https://a-vw:6443' }]);
    expect(() => inFile('https://b-vw:6443')).toThrow('b-vw:6443 is not among the allowed endpoints');
    expect(() => inFile('https://127.0.0.1')).toThrow('127.0.0.1:443 is not among the allowed endpoints');
  });

  test('keeps views apart from what every object has', () => {
    const views = read('{"views": {"__proto__": []}}');
    expect([...views.keys()]).toEqual(['__proto__']);
    expect(views.get('constructor')).toBeUndefined();
  });
});
