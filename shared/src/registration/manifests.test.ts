import { describe, expect, test } from '@jest/globals';
import { SERVICES } from '../config/options.ts';
import type { KubeObject } from '../kube/objects.ts';
import { accountsOf, defaultAccountOf, manifestsOf, shippedViews, virtualWorkspaceOf } from './manifests.ts';
import { rolesOfFrontProxy, rolesOfView } from './manifests-rbac.ts';

const TEAM = { namespace: 'virtualworkspace-team-notes', name: 'team-notes' };
const OTHER = { namespace: 'elsewhere', name: 'other' };
const teamNotes = virtualWorkspaceOf('team-notes', { serviceAccounts: [TEAM, OTHER] });
const shipped = shippedViews().map(view => virtualWorkspaceOf(view, { serviceAccounts: [defaultAccountOf(view)] }));

const keyOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata?.namespace ?? ''}/${metadata?.name}`;
const find = (objects: readonly KubeObject[], key: string): KubeObject | undefined => objects.find(one => keyOf(one) === key);
const subjectsOf = (object: KubeObject | undefined): unknown => object?.subjects;

describe('the object of a view', () => {
  test('is served where its name says, and leaves the status to others', () => {
    expect(virtualWorkspaceOf('team-notes', { caBundle: 'Y2E=', allowedEndpoints: ['10.0.0.0/8'] })).toEqual({
      apiVersion: 'virtualworkspaces.kcp.io/v1alpha1',
      kind: 'VirtualWorkspace',
      metadata: { name: 'team-notes' },
      spec: { path: '/services/team-notes', caBundle: 'Y2E=', allowedEndpoints: ['10.0.0.0/8'] },
    });
  });

  test('all views that are shipped have one, those of one service with one account', () => {
    expect(shippedViews()).toEqual(
      Object.values(SERVICES)
        .flatMap(({ views }) => [...views])
        .sort(),
    );
    expect(defaultAccountOf('apiexport')).toEqual({ namespace: 'virtualworkspaces', name: 'apiexport-vw' });
    expect(defaultAccountOf('apiresourceschema')).toEqual(defaultAccountOf('apiexport'));
    expect(accountsOf(shipped).map(({ name }) => name)).toEqual(Object.keys(SERVICES).sort());
  });

  test("somebody's own view has an account in a namespace that nobody else's view is in", () => {
    expect(defaultAccountOf('team-notes')).toEqual(TEAM);
  });
});

describe('the rights of a view', () => {
  const roles = rolesOfView(teamNotes);

  test('are for its object by name and for nothing else of the kind', () => {
    expect(find(roles, 'ClusterRole /virtualworkspaces:view:team-notes')?.rules).toEqual([
      {
        apiGroups: ['virtualworkspaces.kcp.io'],
        resources: ['virtualworkspaces'],
        resourceNames: ['team-notes'],
        verbs: ['get', 'list', 'watch'],
      },
      {
        apiGroups: ['virtualworkspaces.kcp.io'],
        resources: ['virtualworkspaces/status'],
        resourceNames: ['team-notes'],
        verbs: ['get', 'patch', 'update'],
      },
    ]);
  });

  test('are for leases in its own namespace only, and not to list them', () => {
    const leases = roles.filter(({ kind, rules }) => kind === 'Role' && JSON.stringify(rules).includes('leases'));
    expect(leases.map(({ metadata }) => metadata?.namespace)).toEqual(leases.map(() => 'virtualworkspace-team-notes'));
    expect(find(roles, 'Role virtualworkspace-team-notes/virtualworkspaces:view')?.rules).toEqual([
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update', 'patch', 'delete'] },
    ]);
  });

  test.each([
    'ClusterRoleBinding /virtualworkspaces:view:team-notes',
    'RoleBinding virtualworkspace-team-notes/virtualworkspaces:view',
  ])('have exactly its service accounts: %s', key => {
    expect(subjectsOf(find(roles, key))).toEqual([
      { kind: 'ServiceAccount', ...TEAM },
      { kind: 'ServiceAccount', ...OTHER },
    ]);
  });

  test('nobody has where no service account is given', () => {
    const bindings = rolesOfView(virtualWorkspaceOf('lonely', {})).filter(({ kind }) => kind?.endsWith('Binding'));
    expect(bindings.filter(({ metadata }) => !metadata?.name?.endsWith('front-proxy')).map(subjectsOf)).toEqual([[], []]);
  });
});

describe('the rights of front proxies', () => {
  const account = [{ kind: 'ServiceAccount', namespace: 'virtualworkspaces', name: 'front-proxy' }];

  test('are to follow all and to write nothing but the status', () => {
    const rules = find(rolesOfFrontProxy(), 'ClusterRole /virtualworkspaces:front-proxy')?.rules as { verbs: string[] }[];
    expect(rules).toEqual([
      { apiGroups: ['virtualworkspaces.kcp.io'], resources: ['virtualworkspaces'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['virtualworkspaces.kcp.io'], resources: ['virtualworkspaces/status'], verbs: ['get', 'patch', 'update'] },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'list', 'watch'] },
    ]);
    expect(subjectsOf(find(rolesOfFrontProxy(), 'ClusterRoleBinding /virtualworkspaces:front-proxy'))).toEqual(account);
  });

  test('are to delete leases in the namespaces of views only', () => {
    const key = 'virtualworkspace-team-notes/virtualworkspaces:front-proxy';
    expect(find(rolesOfView(teamNotes), `Role ${key}`)?.rules).toEqual([
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['delete'] },
    ]);
    expect(subjectsOf(find(rolesOfView(teamNotes), `RoleBinding ${key}`))).toEqual(account);
  });
});

describe('all that is installed', () => {
  const objects = manifestsOf([...shipped, teamNotes]);

  test('comes after what it needs', () => {
    const kinds = objects.map(({ kind }) => kind);
    expect(kinds[0]).toBe('CustomResourceDefinition');
    const first = (kind: string): number => kinds.indexOf(kind);
    expect(kinds.lastIndexOf('Namespace')).toBeLessThan(first('ServiceAccount'));
    expect(kinds.lastIndexOf('ServiceAccount')).toBeLessThan(first('ClusterRole'));
    expect(Math.max(kinds.lastIndexOf('RoleBinding'), kinds.lastIndexOf('ClusterRoleBinding'))).toBeLessThan(
      first('VirtualWorkspace'),
    );
    for (const [index, { kind, metadata, roleRef }] of objects.entries()) {
      if (roleRef === undefined) continue;
      const role = (roleRef as KubeObject & { name: string }).kind;
      const key = keyOf({ kind: role ?? '', metadata: metadata ?? {} });
      expect([kind, objects.findIndex(object => keyOf(object) === key)]).toEqual([`${role}Binding`, index - 1]);
    }
  });

  test('is there once, the namespaces and accounts of all views among it', () => {
    const keys = objects.map(keyOf);
    expect(new Set(keys).size).toBe(keys.length);
    for (const namespace of ['virtualworkspaces', 'elsewhere', ...shippedViews().map(view => `virtualworkspace-${view}`)]) {
      expect(keys).toContain(`Namespace /${namespace}`);
    }
    for (const account of ['virtualworkspaces/front-proxy', 'virtualworkspaces/apiexport-vw', 'elsewhere/other']) {
      expect(keys).toContain(`ServiceAccount ${account}`);
    }
  });

  test('gives no right by a wildcard, and on no resource of a view without the name of one', () => {
    const rules = objects.flatMap(({ metadata, rules: found = [] }) =>
      (found as { verbs: string[]; resources: string[]; resourceNames?: string[] }[]).map(rule => ({
        of: metadata?.name,
        ...rule,
      })),
    );
    expect(rules.length).toBeGreaterThan(3);
    for (const { of, verbs, resources, resourceNames } of rules) {
      expect([...verbs, ...resources]).not.toContain('*');
      if (of !== 'virtualworkspaces:front-proxy' && resources.some(one => one.startsWith('virtualworkspaces'))) {
        expect(resourceNames).toHaveLength(1);
      }
    }
  });
});
