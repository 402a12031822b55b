import { BlockList, isIP } from 'node:net';

/** Addresses that share their first `prefix` bits with `address`. */
export interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly has: (address: string) => boolean;
}

export function networkOf(address: string, prefix: number): Network {
  const list = new BlockList();
  list.addSubnet(address, prefix, familyOf(address));
  return { address, prefix, has: other => list.check(other, familyOf(other)) };
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** IPv6 networks whose addresses stand for IPv4 ones, and which of their eight groups the IPv4 address begins with. */
const EMBEDDING: readonly (readonly [network: Network, group: number])[] = [
  // IPv4-mapped, IPv4-translated and IPv4-compatible: RFC 4291 §2.5.5, RFC 2765 §2.1.
  [networkOf('::ffff:0:0', 96), 6],
  [networkOf('::ffff:0:0:0', 96), 6],
  [networkOf('::', 96), 6],
  // NAT64: RFC 6052 §2.1, RFC 8215.
  [networkOf('64:ff9b::', 96), 6],
  [networkOf('64:ff9b:1::', 48), 6],
  // 6to4: RFC 3056 §2.
  [networkOf('2002::', 16), 1],
];

/** The address that is meant: without a zone, in one spelling, and the IPv4 address where an IPv6 one stands for it. */
export function meantAddress(address: string): string {
  const [plain = ''] = address.split('%', 1);
  if (isIP(plain) !== 6) return plain;
  const spelled = new URL(`https://[${plain}]`).hostname.slice(1, -1);
  if (spelled === '::' || spelled === '::1') return spelled;
  const [, group] = EMBEDDING.find(([network]) => network.has(spelled)) ?? [];
  if (group === undefined) return spelled;
  const [high = 0, low = 0] = groupsOf(spelled).slice(group, group + 2);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The eight numbers of an IPv6 address in the spelling of a URL. */
function groupsOf(spelled: string): readonly number[] {
  const [before = [], after = []] = spelled.split('::').map(half => (half === '' ? [] : half.split(':')));
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].map(group => Number.parseInt(group, 16));
}

export type SpecialKind = 'unspecified' | 'loopback' | 'link-local' | 'multicast' | 'broadcast';

/** Where no service of another host can be, and where hosts keep what is for themselves: their own ports, and their cloud's credentials. */
const SPECIAL: readonly (readonly [kind: SpecialKind, network: Network])[] = [
  ['unspecified', networkOf('0.0.0.0', 8)],
  ['unspecified', networkOf('::', 128)],
  ['loopback', networkOf('127.0.0.0', 8)],
  ['loopback', networkOf('::1', 128)],
  ['link-local', networkOf('169.254.0.0', 16)],
  ['link-local', networkOf('fe80::', 10)],
  ['multicast', networkOf('224.0.0.0', 4)],
  ['multicast', networkOf('ff00::', 8)],
  ['broadcast', networkOf('255.255.255.255', 32)],
];

/** What is special about an address, as `meantAddress` gives it, and the network that makes it so. */
export function specialOf(address: string): { readonly kind: SpecialKind; readonly network: Network } | undefined {
  const [kind, network] = SPECIAL.find(([, candidate]) => candidate.has(address)) ?? [];
  return kind && network && { kind, network };
}
