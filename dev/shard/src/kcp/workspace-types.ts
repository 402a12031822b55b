import { CLUSTER_ANNOTATION, PATH_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import type { Reader } from './loopback.ts';
import type { TypeReference, TypeSelector, WorkspaceType } from './objects.ts';
import { API_BINDINGS_INITIALIZER, WORKSPACE_TYPES } from './refs.ts';

type Objects = Reader;

export const clusterOfType = ({ metadata }: WorkspaceType): string => metadata.annotations?.[CLUSTER_ANNOTATION] ?? '';

/** `<path of its workspace>:<name>`, as people and the annotations of logical clusters name a type. */
export const qualifiedName = (type: WorkspaceType): string =>
  `${type.metadata.annotations?.[PATH_ANNOTATION] ?? clusterOfType(type)}:${type.metadata.name ?? ''}`;

/** `<logical cluster>:<name>`: what its initializer and its terminator are called. */
export const lifecycleName = (type: WorkspaceType): string => `${clusterOfType(type)}:${type.metadata.name ?? ''}`;

/** A type by the path, or logical cluster, of its workspace; through the cache where that is on another shard. */
export const findType = (objects: Objects, { path = '', name = '' }: TypeReference): WorkspaceType | undefined =>
  objects.findByPath<WorkspaceType>(WORKSPACE_TYPES, path, name);

/** A type named without a path is looked for in the workspace, then in those above it, and in root at last. */
export function findTypeFrom(
  objects: Objects,
  workspacePath: string,
  { path, name = '' }: TypeReference,
): WorkspaceType | undefined {
  if (path) return findType(objects, { path, name });
  const steps = workspacePath.split(':');
  const places = steps.map((_, i) => steps.slice(0, steps.length - i).join(':'));
  for (const place of new Set([...places, 'root'])) {
    const found = findType(objects, { path: place, name });
    if (found) return found;
  }
  return undefined;
}

/** The type with all that it extends, each once, the type itself first. Throws for a type that is missing or extends itself. */
export function typeClosure(objects: Objects, type: WorkspaceType): readonly WorkspaceType[] {
  const closure = new Map<string, WorkspaceType>();
  const collect = (one: WorkspaceType, way: readonly string[]): void => {
    const name = qualifiedName(one);
    if (way.includes(name)) throw new Error(`circular reference detected in workspace type: ${[...way, name].join(' -> ')}`);
    if (closure.has(name)) return;
    closure.set(name, one);
    for (const reference of one.spec?.extend?.with ?? []) {
      const base = findType(objects, reference);
      if (!base) {
        throw new Error(`unable to find inherited workspace type ${reference.path ?? ''}:${reference.name ?? ''} of ${name}`);
      }
      collect(base, [...way, name]);
    }
  };
  collect(type, []);
  return [...closure.values()];
}

/** Whom a workspace of these types waits for before it is Ready. */
export function initializersOf(types: readonly WorkspaceType[]): string[] {
  const names = types.filter(({ spec }) => spec?.initializer === true).map(lifecycleName);
  const hasBindings = types.some(({ spec }) => (spec?.defaultAPIBindings ?? []).length > 0);
  return hasBindings ? [...names, API_BINDINGS_INITIALIZER] : names;
}

/** Whom a workspace of these types waits for before it is deleted. */
export const terminatorsOf = (types: readonly WorkspaceType[]): string[] =>
  types.filter(({ spec }) => spec?.terminator === true).map(lifecycleName);

/** Why a workspace of the one type may not be below one of the other; undefined when it may. */
export function whyNotBelow(parents: readonly WorkspaceType[], children: readonly WorkspaceType[]): string | undefined {
  const [parent] = parents;
  const [child] = children;
  if (!parent || !child) return undefined;
  return (
    refusal(children, parents, type => type.spec?.limitAllowedParents, {
      none: `workspace type ${qualifiedName(child)} cannot have any parent`,
      only: `workspace type ${qualifiedName(child)} does not allow parents of type ${qualifiedName(parent)}`,
    }) ??
    refusal(parents, children, type => type.spec?.limitAllowedChildren, {
      none: `workspace type ${qualifiedName(parent)} cannot have any child`,
      only: `workspace type ${qualifiedName(parent)} does not allow children of type ${qualifiedName(child)}`,
    })
  );
}

function refusal(
  limiting: readonly WorkspaceType[],
  others: readonly WorkspaceType[],
  limitOf: (type: WorkspaceType) => TypeSelector | undefined,
  texts: { readonly none: string; readonly only: string },
): string | undefined {
  for (const type of limiting) {
    const limit = limitOf(type);
    if (limit?.none === true) return texts.none;
    const allowed = (limit?.types ?? []).map(({ path, name }) => `${path ?? ''}:${name ?? ''}`);
    if (allowed.length > 0 && !others.some(other => allowed.includes(qualifiedName(other)))) return texts.only;
  }
  return undefined;
}
