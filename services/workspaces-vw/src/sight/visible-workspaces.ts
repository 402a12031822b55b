import { sortKey } from '@kcp-vw/shared/informer/sort-key.ts';
import { badRequest } from '@kcp-vw/shared/kube/errors.ts';
import { PATH_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import type { Collection, CollectionDefinition } from '@kcp-vw/shared/view/collection.ts';
import type { WorkspaceObject } from '../index/facts.ts';
import type { Snapshot } from '../index/snapshot.ts';
import { isMount } from '../index/workspace-object.ts';
import type { Seen, SeenEvent, Sight } from './sight.ts';

type Definition = CollectionDefinition & Pick<Collection, 'boundTo'>;

/** The workspaces of one parent, or of all, that somebody sees. Those of all say by their annotation `kcp.io/path` where they are. */
export function collectionOf(sight: Sight, parent: string | undefined, definition: Definition): Collection<WorkspaceObject> {
  const { apiVersion, kind } = definition;
  const shown = parent === undefined ? SHOWN_WITH_PATH : SHOWN;
  const objectOf = ({ snapshot, version }: Seen): WorkspaceObject => shown(snapshot, version);
  const eventOf = ({ type, version, snapshot, previous }: SeenEvent) => ({
    type,
    object: shown(snapshot, version),
    ...(previous && { previous: objectOf(previous) }),
    resourceVersion: String(version),
  });

  return {
    ...definition,
    get version() {
      return String(sight.version);
    },
    *items(after) {
      // Skipped before it is looked at who may see them.
      const isPast = after === undefined ? undefined : ({ object }: Snapshot): boolean => sortKey(object) <= after;
      for (const seen of sight.list(parent, isPast)) yield objectOf(seen);
    },
    list: () => ({
      apiVersion,
      kind: `${kind}List`,
      metadata: { resourceVersion: String(sight.version) },
      items: Array.from(sight.list(parent), objectOf),
    }),
    get(name) {
      // Over all parents a name is that of many.
      const seen = parent === undefined ? undefined : sight.get(parent, name);
      return seen && objectOf(seen);
    },
    watch(resourceVersion, listener) {
      if (!/^\d+$/.test(resourceVersion)) throw badRequest(`invalid resource version ${JSON.stringify(resourceVersion)}`);
      return sight.watch(BigInt(resourceVersion), parent, event => listener(eventOf(event)));
    },
  };
}

type Shown = (snapshot: Snapshot, version: bigint) => WorkspaceObject;

const SHOWN: Shown = copiesOf((object, resourceVersion) => ({ ...object, metadata: { ...object.metadata, resourceVersion } }));

const SHOWN_WITH_PATH: Shown = copiesOf((object, resourceVersion, path) => {
  const { metadata } = object;
  const annotations = { ...metadata?.annotations, ...(path !== undefined && { [PATH_ANNOTATION]: path }) };
  return { ...object, metadata: { ...metadata, resourceVersion, annotations } };
}, true);

type Copy = (object: WorkspaceObject, resourceVersion: string, path: string | undefined) => WorkspaceObject;

/**
 * Objects with the version that somebody sees. Everyone who is told of the same event gets the same copy, so that it is printed once; each
 * object has one with its own version, and one with the last other that was asked for.
 */
function copiesOf(copy: Copy, always = false): Shown {
  const own = new WeakMap<WorkspaceObject, WorkspaceObject>();
  const last = new WeakMap<WorkspaceObject, { readonly version: bigint; readonly copy: WorkspaceObject }>();
  return (snapshot, version) => {
    const { object, objectVersion } = snapshot;
    if (version === objectVersion) {
      const found = always ? own.get(object) : object;
      if (found) return found;
      const made = copy(object, String(version), pathOf(snapshot));
      own.set(object, made);
      return made;
    }
    const known = last.get(object);
    if (known?.version === version) return known.copy;
    const made = copy(object, String(version), pathOf(snapshot));
    last.set(object, { version, copy: made });
    return made;
  };
}

const NAME = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const URL_OF_CLUSTER = new RegExp(`/clusters/(${NAME}(?::${NAME})*)/?$`);

/** From where its content is served; undefined for what is not scheduled. Where a mount leads says nothing of where it is. */
function pathOf({ object, mount }: Snapshot): string | undefined {
  return mount !== undefined || isMount(object) ? undefined : URL_OF_CLUSTER.exec(object.spec?.URL ?? '')?.[1];
}
