/**
 * Who has applied what, in `metadata.managedFields`. Only applies are recorded: what others have written belongs to nobody, and can be
 * applied without conflict.
 */
import { isDeepStrictEqual } from 'node:util';
import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { timestamp } from '../store/metadata.ts';
import { difference, fieldsOf, pathsOf, untouched } from './field-sets.ts';
import { isObject } from './merge.ts';
import { type Fields, isWhole, type MergeSchema, merged, without } from './merge-schema.ts';

export interface ManagedFields {
  readonly manager: string;
  readonly operation: 'Apply';
  readonly apiVersion: string;
  /** When the fields, or their values, were last others. */
  readonly time: string;
  readonly fieldsType: 'FieldsV1';
  readonly fieldsV1: Fields;
  /** Absent for the object itself. */
  readonly subresource?: string;
}

export interface Application {
  readonly schema: MergeSchema;
  readonly manager: string;
  readonly apiVersion: string;
  /** Empty for the object itself. */
  readonly subresource: string;
  /** Takes over what others have applied, instead of failing. */
  readonly force: boolean;
}

/** What the object says, without what is no apply's. */
const applied = ({ metadata }: KubeObject): readonly ManagedFields[] => {
  const entries = Array.isArray(metadata?.managedFields) ? metadata.managedFields : [];
  return entries.filter(one => isObject(one) && one.operation === 'Apply' && isObject(one.fieldsV1));
};

/** The object and its managers as an apply of `configuration` makes them. Throws a StatusError 409 when another manager has other values. */
export function apply(
  { schema, manager, apiVersion, subresource, force }: Application,
  stored: KubeObject,
  configuration: KubeObject,
): { readonly object: unknown; readonly managedFields: readonly ManagedFields[] } {
  const isOwn = (one: ManagedFields): boolean => one.manager === manager && (one.subresource ?? '') === subresource;
  const own = applied(stored).find(isOwn);
  const others = applied(stored).filter(one => !isOwn(one));
  const fieldsV1 = fieldsOf(schema, configuration);

  const complete = merged(schema, stored, configuration);
  const given = [fieldsV1, ...others.map(other => other.fieldsV1)];
  const object = without(schema, complete, given.reduce(difference, own?.fieldsV1 ?? {}));

  const left = others.map(other => ({ ...other, fieldsV1: untouched(schema, other.fieldsV1, stored, object) }));
  if (!force) refuseConflicts(others.map((other, i) => [other, difference(other.fieldsV1, left[i]?.fieldsV1 ?? {})]));

  const isSame = isDeepStrictEqual(own?.fieldsV1, fieldsV1) && isDeepStrictEqual(stored, object);
  const time = own !== undefined && isSame ? own.time : timestamp(new Date());
  const entry: ManagedFields = {
    ...{ manager, operation: 'Apply', apiVersion, time, fieldsType: 'FieldsV1', fieldsV1 },
    ...(subresource !== '' && { subresource }),
  };
  return { object, managedFields: sorted([entry, ...left]) };
}

/** The managers after a write that is no apply: those that the writer hands back, without the fields that it has changed. */
export function managedAfterUpdate(
  schema: MergeSchema,
  { given, previous, next }: { readonly given: KubeObject; readonly previous: KubeObject; readonly next: KubeObject },
): readonly ManagedFields[] {
  const told = applied(given);
  const entries = told.length > 0 ? told : applied(previous);
  return sorted(entries.map(one => ({ ...one, fieldsV1: untouched(schema, one.fieldsV1, previous, next) })));
}

/** Without those that have nothing left. */
function sorted(entries: readonly ManagedFields[]): readonly ManagedFields[] {
  const key = ({ manager, subresource = '' }: ManagedFields): string => `${manager}\n${subresource}`;
  return entries.filter(({ fieldsV1 }) => !isWhole(fieldsV1)).sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** In the words of k8s.io/apimachinery/pkg/util/managedfields. */
function refuseConflicts(taken: readonly (readonly [ManagedFields, Fields])[]): void {
  const conflicts = taken
    .map(([{ manager, subresource }, fields]) => ({
      by: `${JSON.stringify(manager)}${subresource ? ` with subresource ${JSON.stringify(subresource)}` : ''}`,
      paths: pathsOf(fields),
    }))
    .filter(({ paths }) => paths.length > 0);
  const causes = conflicts.flatMap(({ by, paths }) =>
    paths.map(field => ({ reason: 'FieldManagerConflict', message: `conflict with ${by}`, field })),
  );
  if (causes.length === 0) return;
  const list = conflicts.flatMap(({ by, paths }) => [`conflicts with ${by}:`, ...paths.map(path => `- ${path}`)]);
  const [one] = causes;
  const message =
    causes.length === 1 && one
      ? `Apply failed with 1 conflict: ${one.message}: ${one.field}`
      : `Apply failed with ${causes.length} conflicts: ${list.join('\n')}`;
  throw new StatusError('Conflict', message, { causes });
}
