import type { ResourceOpenapi } from '@kcp-vw/shared/kube/discovery.ts';
import { groupVersionPath } from '@kcp-vw/shared/kube/discovery.ts';
import { openapiPartsOf } from '@kcp-vw/shared/kube/openapi-parts.ts';
import { requestText } from '@kcp-vw/shared/upstream/text.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import { definitionKey } from './api-set.ts';
import { CLAIMABLE_APIS } from './claimable-apis.ts';
import { SHARD_CLUSTER } from './shard-resources.ts';

/** What the shard's own OpenAPI says of the resources that are claimed without an identity. */
export interface ShardOpenapi {
  of(group: string, version: string, resource: string): ResourceOpenapi | undefined;
  stop(): void;
}

export interface ShardOpenapiOptions {
  readonly shard: Upstream;
  /** Called when more is known. */
  readonly onChange: () => void;
  readonly onError: (error: Error, groupVersion: string) => void;
}

const RETRY_MS = 5_000;

/**
 * Reads it once, group version by group version, in the background: views work without, and describe those resources as objects of any
 * fields meanwhile. Only what is about the resources is kept.
 */
export function readShardOpenapi({ shard, onChange, onError }: ShardOpenapiOptions): ShardOpenapi {
  const known = new Map<string, ResourceOpenapi>();
  const timers = new Set<NodeJS.Timeout>();
  let stopped = false;

  const read = async (group: string, version: string): Promise<void> => {
    const path = `/clusters/${SHARD_CLUSTER}/openapi/v3${groupVersionPath({ group, version })}`;
    const { status, body: text } = await requestText(shard, { method: 'GET', path, headers: ['accept', 'application/json'] });
    // A shard of another version may not have it; of some group versions kcp answers an empty document.
    if (status === 404 || (status === 200 && text === '')) return;
    if (status !== 200) throw new Error(`the shard answered ${status}`);
    const body = JSON.parse(text) as object;
    for (const api of CLAIMABLE_APIS.filter(one => one.group === group && one.versions.includes(version))) {
      const { resource: name, namespaced, kind } = api;
      known.set(definitionKey(group, version, name), openapiPartsOf(body, { group, version, name, namespaced, kind }));
    }
  };
  const attempt = (group: string, version: string): void => {
    read(group, version)
      .then(() => !stopped && onChange())
      .catch((error: Error) => {
        if (stopped) return;
        onError(error, `${group}/${version}`);
        const timer = setTimeout(() => {
          timers.delete(timer);
          attempt(group, version);
        }, RETRY_MS);
        timers.add(timer);
      });
  };
  const groupVersions = new Map(
    CLAIMABLE_APIS.flatMap(({ group, versions }) => versions.map(version => [`${group}/${version}`, { group, version }])),
  );
  for (const { group, version } of groupVersions.values()) attempt(group, version);

  return {
    of: (group, version, resource) => known.get(definitionKey(group, version, resource)),
    stop() {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
