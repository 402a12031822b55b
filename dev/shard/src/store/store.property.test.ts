import { test } from '@jest/globals';
import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import fc from 'fast-check';
import { type ResourceDefinition, resourceKey } from './definition.ts';
import type { Change } from './event-log.ts';
import { Store } from './store.ts';

const THINGS: ResourceDefinition = {
  ...{ group: 'example.dev', versions: ['v1'], resource: 'things', singular: 'thing', kind: 'Thing', namespaced: true },
  ...{ custom: true, statusSubresource: true, tracksGeneration: true, columns: [] },
};
const OTHERS: ResourceDefinition = { ...THINGS, resource: 'others', statusSubresource: false };

const operation = fc.record({
  verb: fc.constantFrom('create', 'update', 'updateStatus', 'delete', 'compact' as const),
  definition: fc.constantFrom(THINGS, OTHERS),
  cluster: fc.constantFrom('a', 'b'),
  namespace: fc.constantFrom('n', 'n-1'),
  name: fc.constantFrom('x', 'x-1', 'y'),
  value: fc.integer({ min: 0, max: 2 }),
  finalizers: fc.constantFrom([], ['f/1'], ['f/1', 'f/2']),
  dryRun: fc.integer({ min: 0, max: 9 }).map(number => number === 0),
});
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** What the model knows of an object. */
interface Known {
  readonly spec: number;
  readonly status: number | undefined;
  readonly finalizers: readonly string[];
  readonly deleting: boolean;
}

type Model = Map<string, Known>;

const keyOf = ({ definition, cluster, namespace, name }: Operation): string =>
  [resourceKey(definition), cluster, namespace, name].join('\0');

/** The rules in their simplest form. Undefined: refused, and nothing changes. */
function next(model: Model, operation: Operation): Model | undefined {
  const { verb, definition, value, finalizers } = operation;
  const key = keyOf(operation);
  const known = model.get(key);
  const changed = new Map(model);
  if (verb === 'compact') return model;
  if ((known === undefined) !== (verb === 'create')) return undefined;
  if (known === undefined) {
    return changed.set(key, {
      spec: value,
      status: definition.statusSubresource ? undefined : value,
      finalizers,
      deleting: false,
    });
  }
  if (verb === 'delete') {
    if (known.finalizers.length === 0) changed.delete(key);
    else changed.set(key, { ...known, deleting: true });
    return changed;
  }
  if (verb === 'updateStatus') return changed.set(key, { ...known, status: value });
  if (known.deleting && finalizers.some(one => !known.finalizers.includes(one))) return undefined;
  if (known.deleting && finalizers.length === 0) changed.delete(key);
  else changed.set(key, { ...known, spec: value, status: definition.statusSubresource ? known.status : value, finalizers });
  return changed;
}

/** Whether the store took it. */
function perform(store: Store, { verb, definition, cluster, namespace, name, value, finalizers, dryRun }: Operation): boolean {
  const object: KubeObject = { metadata: { name, namespace, finalizers: [...finalizers] }, spec: value, status: value };
  try {
    if (verb === 'create') store.create(definition, cluster, object, { dryRun });
    else if (verb === 'update') store.update(definition, cluster, object, { dryRun });
    else if (verb === 'updateStatus') store.updateStatus(definition, cluster, object, { dryRun });
    else if (verb === 'delete') store.delete(definition, { cluster, namespace, name }, { dryRun });
    else store.compact();
    return true;
  } catch (error) {
    if (error instanceof StatusError) return false;
    throw error;
  }
}

const stateOf = (store: Store): Model =>
  new Map(
    [THINGS, OTHERS].flatMap(definition =>
      store.list(definition, { cluster: '*' }).items.map(({ metadata = {}, spec, status }) => [
        [resourceKey(definition), metadata.annotations?.['kcp.io/cluster'], metadata.namespace, metadata.name].join('\0'),
        {
          spec: spec as number,
          status: status as number | undefined,
          finalizers: metadata.finalizers ?? [],
          deleting: metadata.deletionTimestamp !== undefined,
        },
      ]),
    ),
  );

const sorted = (model: ReadonlyMap<string, unknown>): string => JSON.stringify([...model].sort(([a], [b]) => (a < b ? -1 : 1)));

test('random writes leave the store as the simplest model of the rules says', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), operations => {
      const store = new Store();
      let model: Model = new Map();
      for (const one of operations) {
        const expected = next(model, one);
        if (perform(store, one) !== (expected !== undefined))
          throw new Error(`${JSON.stringify(one)} was taken or refused wrongly`);
        if (expected !== undefined && !one.dryRun) model = expected;
        if (sorted(stateOf(store)) !== sorted(model))
          throw new Error(`after ${JSON.stringify(one)} the store is not as expected`);
      }
    }),
  );
});

const placeOf = ({ resource, cluster, namespace, name }: Change): string => [resource, cluster, namespace, name].join('\0');

/** What a watcher believes after a change. Throws where the change does not follow from what it believed before. */
function follow(state: Map<string, KubeObject>, change: Change): void {
  const known = state.get(placeOf(change));
  if ((known === undefined) !== (change.type === 'ADDED'))
    throw new Error(`${change.type} of ${known ? 'a known' : 'an unknown'} object`);
  if (change.previous !== known) throw new Error('the previous object is another than the one told before');
  if (change.object.metadata?.resourceVersion !== change.resourceVersion) throw new Error('the object has another version');
  if (change.type === 'DELETED') state.delete(placeOf(change));
  else state.set(placeOf(change), change.object);
}

const listed = (store: Store): Map<string, KubeObject> =>
  new Map(
    [THINGS, OTHERS].flatMap(definition =>
      store.list(definition, { cluster: '*' }).items.map(object => {
        const { annotations = {}, namespace, name } = object.metadata ?? {};
        return [[resourceKey(definition), annotations['kcp.io/cluster'], namespace, name].join('\0'), object];
      }),
    ),
  );

test('whoever lists at any time and replays the changes since then has the list of the end', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), fc.integer({ min: 1, max: 30 }), (operations, window) => {
      const store = new Store({ window });
      const snapshots: { version: string; state: Map<string, KubeObject> }[] = [];
      const live = new Map<string, KubeObject>();
      let version = store.resourceVersion;
      store.onChange(change => {
        if (Number(change.resourceVersion) !== Number(version) + 1) throw new Error('versions have a gap');
        version = change.resourceVersion;
        follow(live, change);
        if (sorted(live) !== sorted(listed(store))) throw new Error('a watcher that was always there has another state');
      });
      for (const one of operations) {
        snapshots.push({ version: store.resourceVersion, state: listed(store) });
        perform(store, one);
      }
      for (const { version: from, state } of snapshots) {
        try {
          for (const change of store.changesSince(from)) follow(state, change);
        } catch (error) {
          // Outside of the window: a client would list again.
          if (error instanceof StatusError && error.code === 410) continue;
          throw error;
        }
        if (sorted(state) !== sorted(listed(store))) throw new Error(`a replay from ${from} ends in another state`);
      }
    }),
  );
});
