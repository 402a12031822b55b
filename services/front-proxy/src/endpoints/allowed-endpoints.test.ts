import { describe, expect, test } from '@jest/globals';
import { parseAllowedEndpoints } from './allowed-endpoints.ts';

const allows = (entry: string, host: string, port = 443): boolean =>
  parseAllowedEndpoints([entry], 'the list').allows({ host, port });

describe('an entry', () => {
  test.each<[string, string, number, boolean]>([
    ['a.example', 'a.example', 443, true],
    ['A.Example.', 'a.example', 443, true],
    ['bücher.example', 'xn--bcher-kva.example', 443, true],
    ['a.example', 'b.a.example', 443, false],
    ['a.example:6443', 'a.example', 6443, true],
    ['a.example:6443', 'a.example', 443, false],
    ['*.a.example', 'b.a.example', 443, true],
    ['*.a.example', 'c.b.a.example', 443, true],
    ['*.a.example', 'a.example', 443, false],
    // Somebody else's domain that ends with the same letters.
    ['*.a.example', 'evila.example', 443, false],
    ['10.0.0.0/8', '10.1.2.3', 443, true],
    ['10.0.0.0/8:6443', '10.1.2.3', 443, false],
    ['10.0.0.1', '10.0.0.1', 443, true],
    ['10.0.0.1', '10.0.0.2', 443, false],
    ['10.0.0.0/8', '::ffff:a01:203', 443, true],
    ['64:ff9b::/96', '64:ff9b::a01:203', 443, true],
    ['fd00::/8', 'fd00::1', 443, true],
    ['fd00::1', 'fd00:0:0::1', 443, true],
    ['[fd00::1]:6443', 'fd00::1', 6443, true],
    ['[fd00::/8]:6443', 'fd00::1', 443, false],
    // What a name leads to is another question than where a service may be.
    ['0.0.0.0/0', 'a.example', 443, false],
  ])('%s allows %s at port %i: %s', (entry, host, port, expected) => {
    expect(allows(entry, host, port)).toBe(expected);
  });

  test.each([
    '',
    '*',
    '*.',
    'a.*.example',
    'https://a.example',
    'a.example/path',
    'a.example/8',
    'a.example:',
    'a.example:0',
    'a.example:65536',
    'a.example:6443:1',
    '10.0.0.0/33',
    'fd00::/129',
    '[10.0.0.1]:443',
    '[a.example]',
    'fe80::1%eth0',
    // A URL would take them for IPv4 addresses, so that they would never match.
    '127.1',
    '2130706433',
    '0x7f.1',
    '*.2',
  ])('is not %j', entry => {
    expect(() => parseAllowedEndpoints(['a.example', entry], '--allowed-endpoints')).toThrow(
      `--allowed-endpoints: ${JSON.stringify(entry)} is no host, *.domain, IP address or CIDR range, with :port or without`,
    );
  });
});
