import { apiVersionOf, groupVersionPath } from '@kcp-vw/shared/kube/discovery.ts';
import { requestJson } from '@kcp-vw/shared/upstream/json.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';

/** What the shard serves in every logical cluster by itself, whoever binds what. */
export interface ShardResources {
  /** False until the shard has been asked for the first time. */
  known(): boolean;
  includes(group: string, resource: string): boolean;
  stop(): void;
}

export interface ShardResourcesOptions {
  readonly shard: Upstream;
  /** Called when others are known than before. */
  readonly onChange: () => void;
  readonly onError: (error: Error) => void;
  /** Milliseconds between two readings, and after one that failed. */
  readonly interval?: number;
  readonly retry?: number;
}

/** A logical cluster that is on every shard and binds nothing: its discovery has the shard's own resources, and no others. */
export const SHARD_CLUSTER = 'system:admin';
/** A shard that comes back as a newer version may have more. */
const INTERVAL_MS = 60_000;
const RETRY_MS = 500;

interface GroupList {
  readonly groups?: readonly { readonly name: string; readonly versions: readonly { readonly version: string }[] }[];
}

interface ResourceList {
  readonly resources?: readonly { readonly name: string }[];
}

/** Reads the shard's discovery, again and again. */
export function readShardResources(options: ShardResourcesOptions): ShardResources {
  const { shard, onChange, onError, interval = INTERVAL_MS, retry = RETRY_MS } = options;
  let names: ReadonlySet<string> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const get = async <T>(path: string): Promise<T> => {
    const { status, body } = await requestJson<T>(shard, { method: 'GET', path: `/clusters/${SHARD_CLUSTER}${path}` });
    if (status !== 200) throw new Error(`the shard answered ${status} for its discovery at ${path}`);
    return body;
  };
  const read = async (): Promise<ReadonlySet<string>> => {
    const { groups = [] } = await get<GroupList>('/apis');
    const named = groups.flatMap(({ name, versions }) => versions.map(({ version }) => ({ group: name, version })));
    const lists = [{ group: '', version: 'v1' }, ...named].map(async one => {
      const { resources } = await get<ResourceList>(groupVersionPath(one));
      if (resources === undefined) throw new Error(`the shard's discovery of ${apiVersionOf(one)} is no list of resources`);
      return resources.map(({ name }) => nameOf(one.group, name.split('/', 1)[0] ?? ''));
    });
    return new Set((await Promise.all(lists)).flat());
  };
  const run = (): void => {
    read()
      .then(found => {
        if (stopped) return;
        const isOther = names === undefined || found.size !== names.size || [...found].some(name => !names?.has(name));
        names = found;
        if (isOther) onChange();
        schedule(interval);
      })
      .catch((error: Error) => {
        if (stopped) return;
        onError(error);
        schedule(names === undefined ? retry : interval);
      });
  };
  const schedule = (milliseconds: number): void => {
    timer = setTimeout(run, milliseconds);
    timer.unref();
  };
  run();

  return {
    known: () => names !== undefined,
    includes: (group, resource) => names?.has(nameOf(group, resource)) ?? false,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

const nameOf = (group: string, resource: string): string => `${resource}.${group}`;
