/** Test equipment: what the service knows, said by a test. */
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import { identityOf, type SyncTarget } from '../controllers/sync-target.ts';
import type { Shard } from '../controllers/sync-target-urls.ts';
import type {
  Consumers,
  Exports,
  Followed,
  KnownExport,
  KnownSyncTarget,
  Shards,
  SyncTargetChange,
  SyncTargets,
} from '../knowledge/knowledge.ts';
import { syncTargetKey } from '../transform/sync-target-key.ts';

class FakeFollowed implements Followed {
  reason: string | undefined;
  readonly #listeners = new Set<() => void>();

  missing(): string | undefined {
    return this.reason;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

export const BASE = 'https://shard.test';

export class FakeShards extends FakeFollowed implements Shards {
  /** Base by name. */
  readonly known = new Map<string, string>([['root', BASE]]);

  list = (): readonly Shard[] =>
    [...this.known].map(([name, virtualWorkspaceURL]) => ({ metadata: { name }, spec: { virtualWorkspaceURL } }));
  own = (): string | undefined => this.known.get('root');
  bases = (): ReadonlyMap<string, string> => this.known;
}

export class FakeExports extends FakeFollowed implements Exports {
  known: readonly KnownExport[] = [];

  /** By the name of the logical cluster, or by the path that only the compute workspace has here. */
  find = (workspace: string, name: string): KnownExport | undefined =>
    this.known.find(one => one.name === name && (one.cluster === workspace || workspace === 'root:compute'));
  list = (): readonly KnownExport[] => this.known;
  compute = (): KnownExport | undefined => this.known[0];
  /** Of every workspace. */
  unknown: string | undefined;
  missingOf = (): string | undefined => this.unknown;
}

export class FakeConsumers extends FakeFollowed implements Consumers {
  /** `<cluster> <provider>`. */
  readonly bindings = new Set<string>();

  /** Of every provider. */
  unknown: string | undefined;

  missingOf = (): string | undefined => this.unknown;
  letsIn = (cluster: string, provider: string): boolean => this.bindings.has(`${cluster} ${provider}`);
}

export class FakeTargets implements SyncTargets {
  isComplete = true;
  readonly #known = new Map<string, KnownSyncTarget>();
  readonly #listeners = new Set<(change: SyncTargetChange) => void>();

  missing = (): string | undefined => undefined;
  complete = (): boolean => this.isComplete;
  byKey = (key: string): KnownSyncTarget | undefined => this.#known.get(key);
  get = (cluster: string, name: string): KnownSyncTarget | undefined => this.#known.get(syncTargetKey({ cluster, name }));
  list = (): readonly KnownSyncTarget[] => [...this.#known.values()];

  onChange(listener: (change: SyncTargetChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  put(object: SyncTarget): KnownSyncTarget {
    const identity = identityOf(object);
    const target = { identity, key: syncTargetKey(identity), object, base: BASE };
    const before = this.#known.get(target.key);
    if (before && before.identity.uid !== identity.uid) this.remove(before);
    this.#known.set(target.key, target);
    this.#tell({ type: before?.identity.uid === identity.uid ? 'MODIFIED' : 'ADDED', target });
    return target;
  }

  remove(target: KnownSyncTarget): void {
    if (this.#known.delete(target.key)) this.#tell({ type: 'DELETED', target });
  }

  #tell(change: SyncTargetChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}

/** A log that keeps what it was told. */
export function fakeLog() {
  const lines: { readonly fields: Readonly<Record<string, unknown>>; readonly text: string }[] = [];
  const keep = (fields: Readonly<Record<string, unknown>>, text: string): void => void lines.push({ fields, text });
  return { lines, log: { info: keep, warn: keep } as unknown as Pick<Logger, 'info' | 'warn'> };
}
