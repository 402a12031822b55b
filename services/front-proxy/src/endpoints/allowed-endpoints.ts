import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { meantAddress, type Network, networkOf, type SpecialKind } from './ip-networks.ts';

/** Where a service may be, as an address or a name in a URL says it. */
export interface Place {
  /** In lower case, without brackets and without a dot at its end. */
  readonly host: string;
  readonly port: number;
}

/** A list of `host`, `*.domain`, IP addresses and CIDR ranges, each with `:port` or without. */
export interface AllowedEndpoints {
  readonly entries: readonly string[];
  /** Names are matched as names, addresses as addresses: an entry with an address lets no name in that leads there. */
  allows(place: Place): boolean;
  /** Whether an entry means this special address, and not just everything: a range counts when it lies within the special network. */
  allowsSpecial(place: Place, address: string, special: { readonly kind: SpecialKind; readonly network: Network }): boolean;
}

type Entry = { readonly port: number | undefined } & (
  | { readonly network: Network }
  | { readonly name: string; readonly isDomain: boolean }
);

const LABELS = /^[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?)*$/;

/** Throws with a sentence that begins with `what` when an entry is none of these. */
export function parseAllowedEndpoints(entries: readonly string[], what: string): AllowedEndpoints {
  const parsed = entries.map(text => {
    const entry = entryOf(text);
    if (entry) return entry;
    throw new Error(`${what}: ${JSON.stringify(text)} is no host, *.domain, IP address or CIDR range, with :port or without`);
  });
  return {
    entries: [...entries],
    allows: place =>
      parsed.some(entry => fitsPort(entry, place) && ('network' in entry ? hasHost(entry, place) : isNamed(entry, place))),
    allowsSpecial: (place, address, { kind, network }) =>
      parsed.some(entry => {
        if (!fitsPort(entry, place)) return false;
        if ('network' in entry) return entry.network.has(address) && entry.network.prefix >= network.prefix;
        return kind === 'loopback' && entry.name === 'localhost' && isNamed(entry, place);
      }),
  };
}

const fitsPort = ({ port }: Entry, place: Place): boolean => port === undefined || port === place.port;

/** Both as it is written and as it is meant, for who allows the range of a NAT64 gateway. */
const hasHost = ({ network }: { readonly network: Network }, { host }: Place): boolean =>
  isIP(host) !== 0 && (network.has(meantAddress(host)) || network.has(host));

const isNamed = ({ name, isDomain }: { readonly name: string; readonly isDomain: boolean }, { host }: Place): boolean =>
  isIP(host) === 0 && (isDomain ? host.endsWith(`.${name}`) && host.length > name.length + 1 : host === name);

function entryOf(text: string): Entry | undefined {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text);
  // Without brackets an IPv6 address has no port.
  const isBare = isIP(text.split('/', 1)[0] ?? '') === 6;
  const [, host = '', portText] = bracketed ?? (isBare ? [text, text] : /^([^:]+)(?::(\d+))?$/.exec(text)) ?? [];
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(host) ?? [];
  const family = isIP(address);
  if (bracketed && family !== 6) return undefined;
  if (family !== 0) return address.includes('%') ? undefined : networkEntry(address, prefix, family === 6 ? 128 : 32, port);
  return prefix === undefined ? nameEntry(address, port) : undefined;
}

function networkEntry(address: string, prefix: string | undefined, bits: number, port: number | undefined): Entry | undefined {
  if (prefix !== undefined) return Number(prefix) > bits ? undefined : { network: networkOf(address, Number(prefix)), port };
  const meant = meantAddress(address);
  return { network: networkOf(meant, isIP(meant) === 6 ? 128 : 32), port };
}

function nameEntry(text: string, port: number | undefined): Entry | undefined {
  const isDomain = text.startsWith('*.');
  const name = domainToASCII(isDomain ? text.slice(2) : text).replace(/\.$/, '');
  // A URL takes a name that ends with a number for an IPv4 address, in whatever notation.
  if (!LABELS.test(name) || /(^|\.)(\d+|0x[0-9a-f]*)$/.test(name)) return undefined;
  return { name, isDomain, port };
}
