import type { RoleFacts } from './facts.ts';

/** A role as the index keeps it. One that gives nothing is none. */
export interface Role {
  readonly access: boolean;
  readonly getWorkspaces?: '*' | ReadonlySet<string>;
}

export function normalRole(role: RoleFacts | undefined): Role | undefined {
  if (!role) return undefined;
  const { access, getWorkspaces } = role;
  if (getWorkspaces === undefined || getWorkspaces.length === 0) return access ? { access } : undefined;
  return { access, getWorkspaces: getWorkspaces === '*' ? '*' : new Set(getWorkspaces) };
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** The workspaces that a role gives by name. */
export const namesIn = (role: Role | undefined): ReadonlySet<string> =>
  role?.getWorkspaces === undefined || role.getWorkspaces === '*' ? NO_NAMES : role.getWorkspaces;

export function sameRole(a: Role | undefined, b: Role | undefined): boolean {
  if (a?.access !== b?.access || (a?.getWorkspaces === '*') !== (b?.getWorkspaces === '*')) return false;
  const [ofA, ofB] = [namesIn(a), namesIn(b)];
  return ofA.size === ofB.size && [...ofA].every(name => ofB.has(name));
}

/** What a role has to give for somebody to get an edge: a way in, or to get all workspaces, some by name, or any. */
export type Permission = 'access' | 'get all' | 'get some' | 'get any';

export function gives(role: Role | undefined, permission: Permission): boolean {
  if (!role) return false;
  if (permission === 'access') return role.access;
  if (permission === 'get all') return role.getWorkspaces === '*';
  return role.getWorkspaces !== undefined && (permission === 'get any' || role.getWorkspaces !== '*');
}
