import { type CollectionDefinition, createCollection, type MutableCollection } from '@kcp-vw/shared/informer/collection.ts';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import type { ApiResourceSchema } from './apis-kcp-io.ts';

export const SCHEMA_COLLECTION = {
  apiVersion: 'apis.kcp.io/v1alpha1',
  kind: 'APIResourceSchema',
  group: 'apis.kcp.io',
  resource: 'apiresourceschemas',
  // Those of kcp's CustomResourceDefinition.
  columns: [{ name: 'Age', type: 'date', description: '', priority: 0, jsonPath: '.metadata.creationTimestamp' }],
} as const satisfies CollectionDefinition;

/** Events kept for clients that resume. Schemas are large and seldom change: whoever missed more lists again. */
const EVENTS = 256;

/** The schemas that one consumer has bound, as a collection of its own. */
export interface SchemaCollection {
  readonly collection: MutableCollection<ApiResourceSchema>;
  /**
   * Makes `schemas`, by name, the whole content, with one event for each difference: what goes first, then the rest, by name. All are
   * made even if a watcher fails on one; throws an AggregateError then.
   */
  replace(schemas: ReadonlyMap<string, ApiResourceSchema>): void;
}

export function createSchemaCollection(): SchemaCollection {
  const collection = createCollection<ApiResourceSchema>(SCHEMA_COLLECTION, { capacity: EVENTS });
  /** The content as the informer has it: what is the same object there has not changed. */
  let content: ReadonlyMap<string, ApiResourceSchema> = new Map();

  return {
    collection,
    replace(schemas) {
      const before = content;
      content = schemas;
      const gone = sorted(before).filter(([name, schema]) => !isSameObject(schema, schemas.get(name)));
      const changed = sorted(schemas).filter(([name, schema]) => before.get(name) !== schema);
      const { apiVersion, kind } = SCHEMA_COLLECTION;
      runAll([
        ...gone.map(
          ([, schema]) =>
            () =>
              collection.delete(schema),
        ),
        ...changed.map(
          ([, schema]) =>
            () =>
              collection.set({ apiVersion, kind, ...schema }),
        ),
      ]);
    },
  };
}

const sorted = (schemas: ReadonlyMap<string, ApiResourceSchema>): [string, ApiResourceSchema][] =>
  [...schemas].sort(([a], [b]) => (a < b ? -1 : 1));

/** A schema of the same name elsewhere, or made anew, is another object: watchers are told that the old one is gone. */
const isSameObject = (a: ApiResourceSchema, b: ApiResourceSchema | undefined): boolean =>
  b !== undefined && clusterOf(a) === clusterOf(b) && a.metadata?.uid === b.metadata?.uid;

/** Runs every action, whether others fail or not. Throws an AggregateError of what failed. */
export function runAll(actions: readonly (() => void)[]): void {
  const failures: unknown[] = [];
  for (const action of actions) {
    try {
      action();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} of ${actions.length} failed`);
}
