/** Ordinary users who may write workspaces, and what they make. */
import type { Client, Credentials } from './client.ts';
import { eventually } from './eventually.ts';
import { admin, certified } from './identities.ts';
import type { KubeObject, PolicyRule, Workspace } from './kube.ts';
import type { Reply } from './reply.ts';
import { adminIn, admit, uniqueSuffix } from './workspaces.ts';
import { plainly, viewOfWorkspaces, WORKSPACES } from './workspaces-view.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const RBAC_GROUP = 'rbac.authorization.k8s.io';

/** Whatever kcp lets anybody do with workspaces. */
export const ALL_VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];

/** Rules about workspaces, the status included. */
export const onWorkspaces = (...verbs: readonly string[]): PolicyRule[] => [
  { verbs: [...verbs], apiGroups: ['tenancy.kcp.io'], resources: ['workspaces', 'workspaces/status'] },
];

/** Gives a user the rules in a logical cluster; the returned function takes them away again. */
export async function grantIn(workspace: string, user: string, rules: readonly PolicyRule[]): Promise<() => Promise<void>> {
  const there = adminIn(workspace).at(RBAC);
  const metadata = { name: `e2e-${uniqueSuffix()}` };
  const roleRef = { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: metadata.name };
  const subjects = [{ apiGroup: RBAC_GROUP, kind: 'User', name: user }];
  (await there.post('/clusterroles', { metadata, rules })).expect(201);
  (await there.post('/clusterrolebindings', { metadata, roleRef, subjects })).expect(201);
  return async () => {
    (await there.delete(`/clusterrolebindings/${metadata.name}`)).expect(200);
  };
}

/** Somebody new, who may enter the parent and do there with workspaces what the verbs say; kcp and the view know of it. */
export async function createUser(parent: string, verbs: readonly string[] = ALL_VERBS): Promise<Credentials> {
  const caller = certified(`user-${uniqueSuffix()}`, ['e2e-team']);
  await admit(parent, caller.name);
  if (verbs.length > 0) await grantIn(parent, caller.name, onWorkspaces(...verbs));
  await eventually(`entrance of ${caller.name} to ${parent}`, async () =>
    (await viewOfWorkspaces(caller, parent).get(WORKSPACES)).expect(200),
  );
  // The last that was granted is in force when kcp lets him try it.
  const [verb] = verbs;
  if (verb !== undefined) {
    const review = {
      kind: 'SelfSubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      spec: { resourceAttributes: reviewed(verb) },
    };
    await eventually(`rights of ${caller.name} in ${parent}`, async () => {
      const reply = await plainly(caller, parent).post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review);
      if (!reply.expect(201).json<{ status: { allowed: boolean } }>().status.allowed) throw new Error(reply.text);
    });
  }
  return caller;
}

const reviewed = (verb: string) => ({ verb, group: 'tenancy.kcp.io', resource: 'workspaces' });

/** A workspace of type `universal`, as a client sends it. */
export const universal = (metadata: KubeObject['metadata'] = {}, shard?: string) => ({
  apiVersion: 'tenancy.kcp.io/v1alpha1',
  kind: 'Workspace',
  metadata,
  spec: {
    type: { path: 'root', name: 'universal' },
    ...(shard !== undefined && { location: { selector: { matchLabels: { name: shard } } } }),
  },
});

/** Creates a workspace at `there`, a parent as one caller, and waits there until it is Ready. */
export async function createReady(there: Client, metadata?: KubeObject['metadata'], shard?: string): Promise<Workspace> {
  const body = universal({ name: uniqueName(), ...metadata }, shard);
  const { metadata: created } = (await there.post(WORKSPACES, body)).expect(201).json<Workspace>();
  return untilReady(there, created.name);
}

/** One that is new has no status. */
export const isReady = (object: KubeObject): boolean => (object as Partial<Workspace>).status?.phase === 'Ready';

/** Waits until the caller is shown that it is Ready. */
export const untilReady = (there: Client, name: string): Promise<Workspace> =>
  eventually(
    `readiness of workspace ${name} for ${there.credentials.name}`,
    async () => {
      const reply = (await there.get(`${WORKSPACES}/${name}`)).expect(200);
      if (!isReady(reply.json<Workspace>())) throw new Error(reply.text);
      return reply.json<Workspace>();
    },
    60_000,
  );

/** kcp's record of who has created a workspace. */
export const OWNER = 'experimental.tenancy.kcp.io/owner';

export const uniqueName = (prefix = 'ws'): string => `${prefix}-${uniqueSuffix()}`;

/** A workspace as kcp has stored it, with kcp's version and all annotations. */
export async function storedWorkspace(parent: string, name: string): Promise<Workspace> {
  return (await plainly(admin, parent).get(`${WORKSPACES}/${name}`)).expect(200).json<Workspace>();
}

/** Whether kcp's record is in a text; that it is there, and whose field it is, is no secret. */
export const showsOwner = ({ text }: Pick<Reply, 'text'>): boolean =>
  text.includes(`"${OWNER}":"`) || text.includes(`${OWNER}: '`);

export const ownerOf = ({ metadata }: Workspace): string | undefined => metadata.annotations?.[OWNER];
