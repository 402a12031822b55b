import { ageOf } from './duration.ts';
import { badRequest } from './errors.ts';
import { compileJsonPath } from './json-path.ts';
import { INITIAL_EVENTS_END, type KubeObject, type ListMeta } from './objects.ts';
import { type MetaVersion, partialObjectMetadata } from './partial-metadata.ts';

/** A column of a Table (`meta.k8s.io/v1 TableColumnDefinition`). */
export interface TableColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description: string;
  /** 0 shows the column always, higher only with `-o wide`. */
  readonly priority: number;
  /** Dot path into the object, as in a CRD's additionalPrinterColumns: `.status.phase`. */
  readonly jsonPath: string;
}

export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** Reads the query parameter `includeObject`. Throws a StatusError 400 with Kubernetes' text. */
export function parseIncludeObject(value: string | null): IncludeObject {
  if (value === null || value === '') return 'Metadata';
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value;
  const detail = "must be 'Metadata', 'Object', 'None', or empty";
  throw badRequest(`Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: ${detail}`);
}

export interface TableOptions extends ListMeta {
  /** Milliseconds since the epoch: ages are relative to it. */
  readonly now: number;
  /** What a row carries of its object; default `Metadata`. */
  readonly includeObject?: IncludeObject;
  /** False leaves the column definitions out, as a watch does after its first event. Default true. */
  readonly headers?: boolean;
  /** Of meta.k8s.io; default `v1`. */
  readonly version?: MetaVersion;
}

export interface TableRow {
  readonly cells: readonly unknown[];
  readonly object: object | null;
}

export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: `meta.k8s.io/${MetaVersion}`;
  readonly metadata: ListMeta;
  readonly columnDefinitions: readonly object[] | null;
  readonly rows: readonly TableRow[];
}

/** Kubernetes puts the name before the columns of a custom resource. Format `name` marks the column that identifies the row. */
const NAME_COLUMN: TableColumn = Object.freeze({
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
  priority: 0,
  jsonPath: '.metadata.name',
});

/**
 * Objects as a `meta.k8s.io` Table. A column `Name` is put first unless the first one has the format `name`.
 * A cell whose path finds nothing, or nothing of the column's type, is null. For a single object give its resourceVersion.
 */
export function toTable(objects: readonly KubeObject[], columns: readonly TableColumn[], options: TableOptions): Table {
  const { now, includeObject = 'Metadata', headers = true, version = 'v1', ...metadata } = options;
  const all = columns[0]?.format === 'name' ? columns : [NAME_COLUMN, ...columns];
  const readers = all.map(({ jsonPath, type }) => ({ read: compileJsonPath(jsonPath), type }));
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: headers ? all.map(definition) : null,
    rows: objects.map(object => ({
      cells: readers.map(({ read, type }) => CELLS[type](read?.(object), now)),
      object: rowObject(object, includeObject, version),
    })),
  };
}

const definition = ({ name, type, format = '', description, priority, jsonPath }: TableColumn): object => ({
  ...{ name, type, format },
  description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
  priority,
});

function rowObject(object: KubeObject, include: IncludeObject, version: MetaVersion): object | null {
  if (include === 'Object') return object;
  // Without its annotation a client could not see the bookmark that ends the initial events.
  const endsInitialEvents = object.metadata?.annotations?.[INITIAL_EVENTS_END] === 'true';
  return include === 'Metadata' || endsInitialEvents ? partialObjectMetadata(object, { version }) : null;
}

/** What a value becomes in a cell, by the column's type (the CRD table convertor's `cellForJSONValue`). */
const CELLS: Readonly<Record<TableColumn['type'], (value: unknown, now: number) => unknown>> = {
  string: value => (value === undefined ? null : printed(value)),
  integer: value => (typeof value === 'number' ? Math.trunc(value) : null),
  number: value => (typeof value === 'number' ? value : null),
  boolean: value => (typeof value === 'boolean' ? value : null),
  date: (value, now) => (typeof value === 'string' ? ageOf(value, now) : null),
};

/** Go's JSONPath printer: text as it is, maps with sorted keys. */
function printed(value: unknown): string {
  if (value === null) return '<no value>';
  if (typeof value === 'string') return value;
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
