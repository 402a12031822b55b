/** Server-side apply: which values are merged member by member, and which are replaced as a whole. */
import type { ResourceDefinition } from '../store/definition.ts';
import { isObject } from './merge.ts';

/** As much of `openAPIV3Schema` as decides about merging. */
export interface MergeSchema {
  readonly properties?: Readonly<Record<string, MergeSchema>>;
  readonly additionalProperties?: MergeSchema | boolean;
  readonly items?: MergeSchema;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
}

const listMap = (...keys: string[]): MergeSchema => ({
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
});

const METADATA: MergeSchema = {
  properties: { finalizers: { 'x-kubernetes-list-type': 'set' }, ownerReferences: listMap('uid') },
};

/** Types of Kubernetes and of kcp itself have no schema here; what they have in lists is replaced, but for this. */
const BUILT_IN: MergeSchema = { properties: { status: { properties: { conditions: listMap('type') } } } };

/** How objects of a version are merged. Metadata is Kubernetes' own, whatever a schema says of it. */
export function mergeSchemaOf({ schemas = {} }: ResourceDefinition, apiVersion: string): MergeSchema {
  const own = (schemas[apiVersion.slice(apiVersion.indexOf('/') + 1)] ?? BUILT_IN) as MergeSchema;
  return { ...own, properties: { ...own.properties, metadata: METADATA } };
}

/** A part of a value that has an owner of its own. */
export interface Member {
  readonly value: unknown;
  readonly schema: MergeSchema;
}

/**
 * The members of a value under their names in `fieldsV1`: `f:<field>`, `k:<keys of an item>`, `v:<item of a set>`. Undefined for what has
 * none: plain values, and lists and maps that are atomic.
 */
export function membersOf(schema: MergeSchema, value: unknown): ReadonlyMap<string, Member> | undefined {
  if (isObject(value)) return schema['x-kubernetes-map-type'] === 'atomic' ? undefined : fieldsOfMap(schema, value);
  if (!Array.isArray(value)) return undefined;
  const { items = {}, 'x-kubernetes-list-type': type, 'x-kubernetes-list-map-keys': keys = [] } = schema;
  if (type === 'set') return new Map(value.map(one => [`v:${JSON.stringify(one)}`, { value: one, schema: items }]));
  if (type !== 'map') return undefined;
  return new Map(value.map(one => [`k:${JSON.stringify(keysOf(one, keys))}`, { value: one, schema: items }]));
}

function fieldsOfMap({ properties = {}, additionalProperties }: MergeSchema, value: Record<string, unknown>) {
  const others = typeof additionalProperties === 'object' ? additionalProperties : {};
  return new Map(
    Object.entries(value).map(([name, inner]) => {
      const schema = (Object.hasOwn(properties, name) ? properties[name] : undefined) ?? others;
      return [`f:${name}`, { value: inner, schema }];
    }),
  );
}

const keysOf = (item: unknown, keys: readonly string[]): object =>
  Object.fromEntries([...keys].sort().map(key => [key, isObject(item) ? item[key] : undefined]));

/** The value with these members, which are those of `like` or of a value of its kind. */
function assembled(like: unknown, members: ReadonlyMap<string, Member>): unknown {
  if (Array.isArray(like)) return [...members.values()].map(({ value }) => value);
  return Object.fromEntries([...members].map(([name, { value }]) => [name.slice('f:'.length), value]));
}

/** What an apply makes of a value: members that are not mentioned stay, in their order. Neither argument changes. */
export function merged(schema: MergeSchema, present: unknown, given: unknown): unknown {
  const before = membersOf(schema, present);
  const applied = membersOf(schema, given);
  if (before === undefined || applied === undefined || Array.isArray(present) !== Array.isArray(given)) return given;
  const all = new Map(before);
  for (const [name, { value, schema: own }] of applied) {
    const known = before.get(name);
    all.set(name, { value: known === undefined ? value : merged(own, known.value, value), schema: own });
  }
  return assembled(given, all);
}

/** Fields of a value as `fieldsV1` writes them: empty for what is owned as a whole; `.` for an item itself, beside its fields. */
export interface Fields {
  readonly [name: string]: Fields;
}

export const isWhole = (fields: Fields): boolean => Object.keys(fields).length === 0;

/** The value without these fields; a map or list of which nothing is left goes with them. */
export function without(schema: MergeSchema, value: unknown, gone: Fields): unknown {
  const members = membersOf(schema, value);
  if (members === undefined) return value;
  const rest = new Map<string, Member>();
  for (const [name, member] of members) {
    const fields = gone[name];
    if (fields === undefined) rest.set(name, member);
    else if (!isWhole(fields) && !Object.hasOwn(fields, '.')) {
      const left = without(member.schema, member.value, fields);
      if (!isEmpty(left)) rest.set(name, { ...member, value: left });
    }
  }
  return assembled(value, rest);
}

const isEmpty = (value: unknown): boolean => typeof value === 'object' && value !== null && Object.keys(value).length === 0;
