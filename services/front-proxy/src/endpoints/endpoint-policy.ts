import { isIP, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import { isOrigin } from '@kcp-vw/shared/config/origin.ts';
import type { AllowedEndpoints, Place } from './allowed-endpoints.ts';
import { guardedLookup, type Resolve } from './guarded-lookup.ts';
import { meantAddress, specialOf } from './ip-networks.ts';

/**
 * Where the front proxy may be sent. Who writes an object's status, or a name's addresses, would otherwise choose what is asked with the front
 * proxy's certificate and from its place in the network (CVE-2020-8555, CVE-2020-8562).
 */
export interface EndpointPolicy {
  /** Policies with the same key decide the same. */
  readonly key: string;
  /** Why a URL is not used, without repeating what may be a password in it; undefined when it may be. */
  refusalOf(url: string): string | undefined;
  /** For connections to a URL that was not refused: what its name leads to is judged whenever it is dialled. */
  lookupFor(url: string): LookupFunction;
}

/** The front proxy's own address: a request for it that is sent to it would run in circles. */
export interface OwnAddress {
  readonly host: string;
  readonly ports: readonly number[];
  /** This host's addresses, which an unspecified `host` means all of. Absent: as the system says. */
  readonly ofThisHost?: () => readonly string[];
}

export interface EndpointPolicyOptions {
  /** Each of them has to allow an endpoint. */
  readonly lists: readonly AllowedEndpoints[];
  /**
   * Without any list: `nothing` for what others register; `any` for what the operator writes himself, who may use loopback addresses, while
   * those that no service can have are refused all the same.
   */
  readonly unlisted: 'nothing' | 'any';
  readonly own?: OwnAddress | undefined;
  readonly resolve?: Resolve;
}

export function createEndpointPolicy({ lists, unlisted, own, resolve }: EndpointPolicyOptions): EndpointPolicy {
  const addressRefusal = (address: string, place: Place): string | undefined => {
    const meant = meantAddress(address);
    if (own?.ports.includes(place.port) && isOwn(meant, own)) return `${address} is the front proxy itself`;
    const special = specialOf(meant);
    if (!special) return undefined;
    const isAllowed =
      lists.length > 0 ? lists.every(list => list.allowsSpecial(place, meant, special)) : special.kind === 'loopback';
    return isAllowed ? undefined : `${address} is ${special.kind}, which only an entry for just that allows`;
  };
  return {
    key: JSON.stringify([unlisted, ...lists.map(({ entries }) => entries)]),
    refusalOf(url) {
      if (!isOrigin(url)) return 'its url is not https://host:port and nothing else';
      const place = placeOf(url);
      if (lists.length === 0 && unlisted === 'nothing') {
        return 'nothing says where endpoints may be: neither --allowed-endpoints nor spec.allowedEndpoints';
      }
      if (!lists.every(list => list.allows(place))) return `${place.host}:${place.port} is not among the allowed endpoints`;
      return isIP(place.host) === 0 ? undefined : addressRefusal(place.host, place);
    },
    lookupFor: url => guardedLookup(address => addressRefusal(address, placeOf(url)), resolve),
  };
}

function placeOf(url: string): Place {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$|\.$/g, ''), port: Number(port) || 443 };
}

function isOwn(address: string, { host, ofThisHost = addressesOfThisHost }: OwnAddress): boolean {
  const bound = meantAddress(host);
  if (specialOf(bound)?.kind !== 'unspecified') return address === bound;
  const { kind } = specialOf(address) ?? {};
  return kind === 'loopback' || kind === 'unspecified' || ofThisHost().some(other => meantAddress(other) === address);
}

const addressesOfThisHost = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
