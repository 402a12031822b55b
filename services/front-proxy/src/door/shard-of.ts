import { type Options, SERVICES, type ShardAddress } from '@kcp-vw/shared/config/options.ts';
import { badRequest, type StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { Peer } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValue, type RawHeaders } from '@kcp-vw/shared/listener/headers.ts';

/** What tells which shard a request is for; an exchange will do, and so will a request to upgrade. */
export interface Addressed {
  readonly headers: RawHeaders;
  readonly peer: Pick<Peer, 'serverName' | 'localPort'>;
}

/**
 * The shard that a request was addressed to. `UNKNOWN_SHARD`: there are several, and it was addressed to none of them. Undefined: no
 * shard is configured, so that the services behind know best (`chosenShard`).
 */
export type ShardOf = (request: Addressed) => string | undefined;

/** No shard has this name. */
export const UNKNOWN_SHARD = '';

type ShardOptions = Pick<Options, 'shard' | 'furtherShards' | 'shardAddresses'>;

/** Names of the shards that are configured, each once, the one of `--kubeconfig` first. */
export function shardNames({ shard, furtherShards, shardAddresses }: ShardOptions): readonly string[] {
  const own = shard === undefined ? [] : [shard];
  return [...new Set([...own, ...Object.keys(furtherShards), ...shardAddresses.map(address => address.shard)])];
}

/** Ports to listen on besides the main one: those by which shards are told apart. */
export function shardPorts({ shardAddresses, securePort }: Pick<Options, 'shardAddresses' | 'securePort'>): readonly number[] {
  const ports = shardAddresses.filter(({ by }) => by === 'port').map(({ value }) => Number(value));
  return ports.filter(port => port !== securePort);
}

/**
 * Tells shards apart by the name in TLS, else by the port, else by the Host header; each only where it is configured. The header comes
 * last, and is a makeshift: proxies written in Go, kcp's shards among them, send on the one of whoever called them.
 */
export function createShardOf(options: ShardOptions): ShardOf {
  const names = shardNames(options);
  // Where there is one, an address by IP or a name of the cluster's inside need not be told.
  const otherwise = names.length > 1 ? UNKNOWN_SHARD : names[0];
  const [sni, port, host] = (['sni', 'port', 'host'] as const).map(by => shardsBy(by, options.shardAddresses));

  return ({ headers, peer }) =>
    (peer.serverName !== undefined ? sni?.get(withoutDot(peer.serverName)) : undefined) ??
    (port !== undefined ? port.get(String(peer.localPort)) : undefined) ??
    (host !== undefined ? host.get(hostOf(headers)) : undefined) ??
    otherwise;
}

/** Value → shard; undefined where nothing is told apart in this way. */
function shardsBy(by: ShardAddress['by'], addresses: readonly ShardAddress[]): ReadonlyMap<string, string> | undefined {
  const found = addresses.filter(address => address.by === by);
  return found.length === 0
    ? undefined
    : new Map(found.map(({ value, shard }) => [by === 'port' ? String(Number(value)) : withoutDot(value.toLowerCase()), shard]));
}

/** The Host header without its port. An address in brackets is no name, and names no shard. */
const hostOf = (headers: RawHeaders): string =>
  withoutDot((headerValue(headers, 'host') ?? '').replace(/:\d*$/, '').toLowerCase());

/** A name may be written with the root's dot at its end. */
const withoutDot = (name: string): string => (name.endsWith('.') ? name.slice(0, -1) : name);

/** Views of which every process knows all shards, and has versions of its own. */
export const OF_ALL_SHARDS: ReadonlySet<string> = new Set(
  Object.values(SERVICES).flatMap(({ views, ofAllShards }) => (ofAllShards ? views : [])),
);

/**
 * The shard to serve a request of a view for, given the one it was addressed to and those (undefined: whichever is asked for) that there
 * are services for. Undefined: the services make no difference. Throws a StatusError where that would be a guess: not a 404, which clients
 * take as the news that an object is deleted.
 */
export function chosenShard(
  view: string,
  asked: string | undefined,
  served: () => Iterable<string | undefined>,
): string | undefined {
  if (OF_ALL_SHARDS.has(view)) return undefined;
  if (asked !== undefined && asked !== UNKNOWN_SHARD) return asked;
  let only: string | undefined;
  for (const shard of served()) {
    if (shard === undefined || shard === only) continue;
    if (asked === UNKNOWN_SHARD || only !== undefined) throw unknownShard();
    only = shard;
  }
  return only;
}

const unknownShard = (): StatusError =>
  badRequest(
    'the request was addressed to none of the shards that are served here: neither its TLS server name nor its port or host is that of a shard',
  );
