/** Compares all that a syncer can ask for with what the oracle makes of what is stored. */
import { expect } from '@jest/globals';
import { clusterOf, type KubeList, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Client } from './client.ts';
import { eventually } from './eventually.ts';
import type { Consumer } from './syncing.ts';
import { type Expected, expectedView } from './syncing-oracle.ts';
import type { Shown } from './syncing-shown.ts';
import type { CreatedSyncTarget } from './syncing-targets.ts';
import type { Watch } from './watch.ts';

export interface Witnessed {
  /** For lists of all namespaces: `/api/v1/services`. */
  readonly collection: string;
  /** One object of it. */
  readonly path: (object: KubeObject) => string;
}

export const namespaced = (resource: string, prefix = '/api/v1'): Witnessed => ({
  collection: `${prefix}/${resource}`,
  path: ({ metadata }) => `${prefix}/namespaces/${metadata?.namespace}/${resource}/${metadata?.name}`,
});

export const clusterScoped = (resource: string, prefix = '/api/v1'): Witnessed => ({
  collection: `${prefix}/${resource}`,
  path: ({ metadata }) => `${prefix}/${resource}/${metadata?.name}`,
});

/** One syncer that asks for everything in all ways, and watches besides. */
export class Witness {
  readonly #target: CreatedSyncTarget;
  readonly #shown: Shown;
  readonly #consumer: Consumer;
  readonly #resources: readonly Witnessed[];
  readonly #watches = new Map<Witnessed, Watch>();

  private constructor(target: CreatedSyncTarget, shown: Shown, consumer: Consumer, resources: readonly Witnessed[]) {
    this.#target = target;
    this.#shown = shown;
    this.#consumer = consumer;
    this.#resources = resources;
  }

  /** Watches from now on. */
  static async call(
    target: CreatedSyncTarget,
    shown: Shown,
    consumer: Consumer,
    resources: readonly Witnessed[],
  ): Promise<Witness> {
    const witness = new Witness(target, shown, consumer, resources);
    for (const resource of resources) witness.#watches.set(resource, await shown.everywhere.watch(resource.collection));
    return witness;
  }

  /** Throws where anything that is shown is not as it is to be. */
  async compare(step: string): Promise<void> {
    await Promise.all(this.#resources.map(resource => this.#compareOne(step, resource)));
  }

  async #compareOne(step: string, resource: Witnessed): Promise<void> {
    const { expected, versions, listed, everywhere, named } = await this.#together(resource);
    const shown = new Map([...expected].filter((entry): entry is [string, KubeObject] => typeof entry[1] !== 'string'));
    const context = { step, target: this.#target.name, collection: resource.collection };
    expect({ ...context, listed }).toEqual({ ...context, listed: shown });
    expect({ ...context, everywhere }).toEqual({ ...context, everywhere: shown });
    expect({ ...context, named }).toEqual({ ...context, named: expected });
    await eventually(`${step}: the watch of ${resource.collection}`, async () => {
      const watched = this.#watched(resource);
      // A watch says nothing of what cannot be shown: its client keeps what was shown before, lest it takes it for deleted.
      for (const [name, one] of expected) if (one === 'broken') expect(versions.get(name)).not.toBe(takenFrom(watched, name));
      expect({ ...context, watched }).toEqual({ ...context, watched: shown });
    });
  }

  /** All of the answers about what was the same before and after. */
  #together(resource: Witnessed) {
    const { collection } = resource;
    const { owner: _, masters, cluster } = this.#consumer;
    const { here, everywhere } = this.#shown;
    return eventually(`a moment in which nobody changes ${collection}`, async () => {
      const before = await listOf(masters, collection);
      const listed = await listOf(here, collection);
      const all = (await listOf(everywhere, collection)).filter(one => clusterOf(one) === cluster);
      const named = await Promise.all(before.map(async one => [nameOf(one), await this.#asked(resource.path(one))] as const));
      const after = await listOf(masters, collection);
      expect(after.map(versionOf)).toEqual(before.map(versionOf));
      const expected = new Map(before.map(one => [nameOf(one), expectedView(one, this.#target.key)] as const));
      const versions = new Map(before.map(one => [nameOf(one), one.metadata?.resourceVersion]));
      return { expected, versions, listed: byName(listed), everywhere: byName(all), named: new Map<string, Expected>(named) };
    });
  }

  async #asked(path: string): Promise<Expected> {
    const reply = (await this.#shown.here.get(path)).expect(200, 404, 500);
    if (reply.status === 200) return plain(reply.json<KubeObject>());
    return reply.status === 404 ? 'hidden' : 'broken';
  }

  /** What a client has that goes by the events alone. */
  #watched(resource: Witnessed): Map<string, KubeObject> {
    const watch = this.#watches.get(resource);
    const kept = new Map<string, KubeObject>();
    for (const { type, object } of watch?.events ?? []) {
      if (type === 'ERROR') throw new Error(JSON.stringify(object));
      const one = object as KubeObject;
      if (clusterOf(one) !== this.#consumer.cluster) continue;
      if (type === 'DELETED') kept.delete(nameOf(one));
      else kept.set(nameOf(one), plain(one));
    }
    return kept;
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.close();
  }
}

/** Lists of built-in types do not say it of each. */
const plain = ({ apiVersion: _, kind: __, ...object }: KubeObject): KubeObject => object;

/** Its version. */
function takenFrom(objects: Map<string, KubeObject>, name: string): string | undefined {
  const one = objects.get(name);
  objects.delete(name);
  return one?.metadata?.resourceVersion;
}

const nameOf = ({ metadata }: KubeObject): string => `${metadata?.namespace ?? ''}/${metadata?.name}`;
const versionOf = (object: KubeObject): string => `${nameOf(object)} ${object.metadata?.resourceVersion}`;
const byName = (objects: readonly KubeObject[]): Map<string, KubeObject> => new Map(objects.map(one => [nameOf(one), one]));

const listOf = async (client: Client, collection: string): Promise<KubeObject[]> =>
  (await client.get(collection)).expect(200).json<KubeList>().items.map(plain);
