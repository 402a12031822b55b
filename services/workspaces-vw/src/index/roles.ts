import type { RoleFacts } from './facts.ts';

/** With its names sorted, each once. A role that gives nothing is none. */
export function normalRole(role: RoleFacts | undefined): RoleFacts | undefined {
  if (!role) return undefined;
  const { access, getWorkspaces } = role;
  if (getWorkspaces === undefined || getWorkspaces.length === 0) return access ? { access } : undefined;
  return { access, getWorkspaces: getWorkspaces === '*' ? '*' : [...new Set(getWorkspaces)].sort() };
}

/** Of normal roles. */
export function sameRole(a: RoleFacts | undefined, b: RoleFacts | undefined): boolean {
  if (a?.access !== b?.access) return false;
  const [ofA, ofB] = [a?.getWorkspaces, b?.getWorkspaces];
  if (ofA === ofB) return true;
  if (!Array.isArray(ofA) || !Array.isArray(ofB) || ofA.length !== ofB.length) return false;
  return ofA.every((name, index) => name === ofB[index]);
}

/** What a role has to give for somebody to get an edge: a way in, or the sight of one mount. */
export type Permission = 'access' | { readonly mount: string };

export function gives(role: RoleFacts | undefined, permission: Permission): boolean {
  if (!role) return false;
  if (permission === 'access') return role.access;
  return role.getWorkspaces === '*' || role.getWorkspaces?.includes(permission.mount) === true;
}
