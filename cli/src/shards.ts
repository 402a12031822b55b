import { shardNames } from '@kcp-vw/front-proxy/door/shard-of.ts';
import { UsageError } from '@kcp-vw/shared/config/flags.ts';
import { type Options, SERVICES } from '@kcp-vw/shared/config/options.ts';

/** What the services of one shard, or of all of them, are started with. */
export interface ShardSet {
  /** Absent where there is one shard and nobody has named it, and for services that are of all. */
  readonly shard?: string;
  /**
   * Those of the whole, with the kubeconfig of this shard and the services that are of one shard. What is not of a shard (cache, reviews) is
   * shared.
   */
  readonly options: Options;
  /** What tells the services of this shard from those of the others; empty where there is one shard. */
  readonly suffix: string;
}

/**
 * The shard of `--kubeconfig` and those of `--shard-kubeconfigs`; last, services that are of all shards, once. Throws a UsageError where
 * requests could not be told apart.
 */
export function shardSetsOf(options: Options): readonly ShardSet[] {
  const { shard, furtherShards } = options;
  const further = Object.entries(furtherShards);
  if (further.length === 0) return [{ ...(shard !== undefined && { shard }), options, suffix: '' }];
  const all: readonly (readonly [string, Partial<Options>])[] = [
    [shard ?? '', {}],
    // A context is of one kubeconfig.
    ...further.map(([name, kubeconfig]) => [name, { kubeconfig, context: '' }] as const),
  ];
  checkAddressed(options);
  const ofAll = options.services.filter(name => SERVICES[name]?.ofAllShards);
  const services = options.services.filter(name => !ofAll.includes(name));
  const sets = all.map(([name, own]) => ({
    shard: name,
    options: { ...options, ...own, services, shard: name, furtherShards: {} },
    suffix: `@${name}`,
  }));
  return ofAll.length === 0 ? sets : [...sets, { options: { ...options, services: ofAll }, suffix: '' }];
}

function checkAddressed(options: Options): void {
  const addressed = new Set(options.shardAddresses.map(({ shard }) => shard));
  const missing = shardNames(options).find(name => !addressed.has(name));
  if (missing !== undefined) {
    throw new UsageError(`--shard-addresses has to say how requests for the shard ${missing} are known, as there are several`);
  }
}
