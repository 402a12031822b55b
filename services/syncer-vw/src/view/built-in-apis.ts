import { type ApiResource, storageVersionHash } from '@kcp-vw/shared/kube/discovery.ts';
import type { TableColumn } from '@kcp-vw/shared/kube/table.ts';
import { SUBRESOURCE_VERBS } from '@kcp-vw/shared/view/schema-resources.ts';

/** A resource that every syncer gets, whatever its target supports: every shard has it, and the compute export claims it. */
export interface BuiltInApi {
  readonly resource: string;
  readonly kind: string;
  readonly columns: readonly TableColumn[];
  /** The resource first, then its subresource. */
  readonly apis: readonly ApiResource[];
}

interface Row {
  readonly resource: string;
  readonly singular: string;
  readonly kind: string;
  readonly short?: string;
  readonly namespaced: boolean;
  readonly status?: boolean;
  readonly columns?: readonly TableColumn[];
}

const column = (name: string, type: TableColumn['type'], jsonPath: string, description: string): TableColumn =>
  Object.freeze({ name, type, description, priority: 0, jsonPath });

/** A custom resource that names no columns has this one, too. */
export const AGE: TableColumn = column('Age', 'date', '.metadata.creationTimestamp', 'Time since the object was created.');

const ROWS: readonly Row[] = [
  { resource: 'configmaps', singular: 'configmap', kind: 'ConfigMap', short: 'cm', namespaced: true },
  {
    ...{ resource: 'namespaces', singular: 'namespace', kind: 'Namespace', short: 'ns', namespaced: false, status: true },
    columns: [column('Status', 'string', '.status.phase', 'The status of the namespace')],
  },
  {
    ...{ resource: 'secrets', singular: 'secret', kind: 'Secret', namespaced: true },
    columns: [column('Type', 'string', '.type', 'Used to facilitate programmatic handling of secret data.')],
  },
  { resource: 'serviceaccounts', singular: 'serviceaccount', kind: 'ServiceAccount', short: 'sa', namespaced: true },
];

export const BUILT_IN_VERSION = 'v1';
const GROUP = { group: '', version: BUILT_IN_VERSION };

/** With the verbs that a view has for resources. Sorted. */
export const builtInApis = (verbs: readonly string[]): readonly BuiltInApi[] =>
  Object.freeze(ROWS.map(row => builtIn(row, verbs)));

function builtIn(
  { resource, singular, kind, short, namespaced, status, columns = [] }: Row,
  verbs: readonly string[],
): BuiltInApi {
  const all = [...columns, AGE];
  const main: ApiResource = Object.freeze({
    ...GROUP,
    ...{ name: resource, singularName: singular, kind, namespaced, verbs, columns: all },
    ...(short !== undefined && { shortNames: [short] }),
    storageVersionHash: storageVersionHash('', BUILT_IN_VERSION, kind),
  });
  const below: ApiResource = Object.freeze({
    ...GROUP,
    ...{ name: `${resource}/status`, singularName: '', kind, namespaced, verbs: SUBRESOURCE_VERBS },
  });
  return Object.freeze({ resource, kind, columns: all, apis: status ? [main, below] : [main] });
}

const NAMES: ReadonlySet<string> = new Set(ROWS.map(({ resource }) => resource));
export const isBuiltIn = (group: string, resource: string): boolean => group === '' && NAMES.has(resource);
