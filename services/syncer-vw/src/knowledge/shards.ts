import { isDeepStrictEqual } from 'node:util';
import { createInformer, type Informer, type InformerOptions } from '@kcp-vw/shared/informer/informer.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { Shard } from '../controllers/sync-target-urls.ts';
import type { Shards } from './knowledge.ts';
import { createListeners } from './listeners.ts';

/** What tells which shard this process is of; neither: there is one only. */
export interface OwnShard {
  readonly shard?: string;
  /** Origin of its `spec.baseURL`. */
  readonly shardServer?: string;
}

export interface FollowedShards extends Shards {
  /** Starts with `start`, or with whoever runs it. */
  readonly informer: Informer<ListedShard>;
  start(): void;
  stop(): void;
}

export interface ShardsOptions extends Pick<InformerOptions<KubeObject>, 'clock' | 'backoff' | 'timing'> {
  /** A server that has `root`, or leads there. */
  readonly upstream: Upstream;
  /** Default: those in `root`. */
  readonly path?: string;
  readonly own: OwnShard;
  readonly log: Pick<Logger, 'warn'>;
}

/** What is kept of a Shard. */
export interface ListedShard extends Shard {
  readonly spec: { readonly baseURL?: string; readonly virtualWorkspaceURL?: string };
}

export const SHARDS_PATH = '/clusters/root/apis/core.kcp.io/v1alpha1/shards';

interface Known {
  readonly shards: readonly ListedShard[];
  readonly bases: ReadonlyMap<string, string>;
}

/** Follows the Shards of a kcp. */
export function followShards({ upstream, path = SHARDS_PATH, own, log, ...following }: ShardsOptions): FollowedShards {
  let known: Known = { shards: [], bases: new Map() };
  const reported = new Map<string, string>();
  const listeners = createListeners<void>(err => log.warn({ err }, 'a listener to the shards failed'));

  const look = (): void => {
    const shards = informer.list().sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    if (shards.length === 0) {
      // Every kcp has a shard: this is a server that has lost what it had, or one that does not have it yet.
      if (known.shards.length > 0) log.warn('kcp knows no shards any more; the last ones known are followed on');
      return;
    }
    const next: Known = { shards, bases: basesOf(shards) };
    const isSame = isDeepStrictEqual(shards.map(factsOf), known.shards.map(factsOf));
    known = next;
    if (!isSame) listeners.tell();
  };

  const basesOf = (shards: readonly ListedShard[]): ReadonlyMap<string, string> => {
    const bases = new Map<string, string>();
    for (const name of reported.keys()) if (!shards.some(shard => nameOf(shard) === name)) reported.delete(name);
    for (const shard of shards) {
      const text = shard.spec.virtualWorkspaceURL ?? '';
      const base = baseOf(text);
      if (base !== undefined) bases.set(nameOf(shard), base);
      if (base !== undefined || text === '') reported.delete(nameOf(shard));
      else if (reported.get(nameOf(shard)) !== text) {
        reported.set(nameOf(shard), text);
        log.warn(
          { shard: nameOf(shard), url: text },
          'a shard is left out: its spec.virtualWorkspaceURL is not https://host/path',
        );
      }
    }
    return bases;
  };

  const informer = createInformer<ListedShard>({
    ...following,
    ...{ upstream, path, name: 'shards', project: listedShard },
    onError: (err, attempt) => log.warn({ err, informer: 'shards', attempt }, 'list or watch failed; trying again'),
    // Once for all that a list has brought.
    batch(emit) {
      emit();
      look();
    },
  });

  const ownName = (): string | undefined => {
    const { shards } = known;
    if (own.shard !== undefined) return shards.some(shard => nameOf(shard) === own.shard) ? own.shard : undefined;
    if (own.shardServer !== undefined) {
      const found = shards.filter(({ spec }) => serverOf(spec.baseURL) === serverOf(own.shardServer));
      return found.length === 1 ? nameOf(found[0]) : undefined;
    }
    return shards.length === 1 ? nameOf(shards[0]) : undefined;
  };

  return {
    informer,
    start: () => informer.start(),
    stop: () => informer.stop(),
    list: () => known.shards,
    bases: () => known.bases,
    own: () => known.bases.get(ownName() ?? ''),
    missing() {
      if (known.shards.length === 0) return 'the list of shards';
      const name = ownName();
      if (name === undefined)
        return `the shard of this process (${described(own)}; there are ${known.shards.map(nameOf).join(', ')})`;
      return known.bases.has(name) ? undefined : `a spec.virtualWorkspaceURL of the shard ${name}`;
    },
    onChange: listeners.add,
  };
}

const described = ({ shard, shardServer }: OwnShard): string =>
  shard !== undefined ? `--shard is ${shard}` : shardServer !== undefined ? `it is at ${shardServer}` : 'say --shard';

const nameOf = (shard: ListedShard | undefined): string => shard?.metadata?.name ?? '';

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** The origin, by whatever name this machine calls itself. */
function serverOf(text: string | undefined): string | undefined {
  const url = URL.parse(text ?? '');
  return url && LOOPBACK.has(url.hostname) ? `${url.protocol}//localhost:${url.port}` : url?.origin;
}
const factsOf = ({ metadata, spec }: ListedShard): object => ({ name: metadata?.name, ...spec });

/** Undefined for what credentials cannot be sent to. */
function baseOf(text: string): string | undefined {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' || url.username || url.password || url.search || url.hash) return undefined;
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function listedShard(object: KubeObject): ListedShard {
  const { baseURL, virtualWorkspaceURL } = (object.spec ?? {}) as Record<string, unknown>;
  const { name, uid, resourceVersion, annotations } = object.metadata ?? {};
  const metadata = {
    ...(name !== undefined && { name }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(annotations && { annotations }),
  };
  const spec = {
    ...(typeof baseURL === 'string' && { baseURL }),
    ...(typeof virtualWorkspaceURL === 'string' && { virtualWorkspaceURL }),
  };
  return Object.freeze({ metadata, spec });
}
