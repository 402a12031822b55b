import type { TargetShard } from '../target.ts';
import type { Client, Credentials } from './client.ts';
import { eventually } from './eventually.ts';
import { atVirtualWorkspaces } from './identities.ts';
import type { Condition, KubeObject, ObjectMeta } from './kube.ts';
import { adminIn, uniqueSuffix } from './workspaces.ts';

const APIS = '/apis/apis.kcp.io';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

export const BINDINGS = `${APIS}/v1alpha2/apibindings`;

export interface Claim {
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly string[];
  readonly identityHash?: string;
}

export interface Selector {
  readonly matchAll?: boolean;
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
}

export interface AcceptedClaim extends Claim {
  readonly selector: Selector;
  readonly state: 'Accepted' | 'Rejected';
}

/** A resource that an export offers: `<plural>.<group>`, namespaced, in the versions v1 and v1alpha1, with a status. */
export interface OfferedResource {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

/** An APIExport and where it lives. */
export interface CreatedExport {
  readonly parent: string;
  /** Name of the logical cluster of `parent`. */
  readonly cluster: string;
  readonly name: string;
  readonly identityHash: string;
}

export interface ExportOptions {
  readonly name?: string;
  readonly resources?: readonly OfferedResource[];
  readonly claims?: readonly Claim[];
  readonly maximalPermissionPolicy?: boolean;
}

interface ApiExport extends KubeObject {
  metadata: ObjectMeta;
  spec: { permissionClaims?: readonly Claim[] };
  status?: { identityHash?: string };
}

interface ApiBinding extends KubeObject {
  spec: object;
  status?: { phase?: string; conditions?: Condition[] };
}

/** Creates an export with its schemas in a workspace, and waits until it has an identity. */
export async function createExport(parent: string, options: ExportOptions = {}): Promise<CreatedExport> {
  const { name = `e2e-${uniqueSuffix()}`, resources = [], claims = [], maximalPermissionPolicy = false } = options;
  const workspace = adminIn(parent);
  for (const resource of resources) await createSchema(parent, resource);
  const spec = {
    resources: resources.map(resource => ({
      group: resource.group,
      name: resource.plural,
      schema: schemaName(resource),
      storage: { crd: {} },
    })),
    permissionClaims: claims,
    ...(maximalPermissionPolicy && { maximalPermissionPolicy: { local: {} } }),
  };
  const exported = { apiVersion: 'apis.kcp.io/v1alpha2', kind: 'APIExport', metadata: { name }, spec };
  await eventually(`creation of APIExport ${name}`, async () =>
    (await workspace.post(`${APIS}/v1alpha2/apiexports`, exported)).expect(201, 409),
  );
  const { metadata, status } = await eventually(`identity of APIExport ${name}`, async () => {
    const found = (await workspace.get(`${APIS}/v1alpha2/apiexports/${name}`)).expect(200).json<ApiExport>();
    if (!found.status?.identityHash) throw new Error(JSON.stringify(found.status));
    return found;
  });
  return { parent, name, cluster: metadata.annotations?.['kcp.io/cluster'] ?? '', identityHash: status?.identityHash ?? '' };
}

const schemaName = ({ group, plural }: OfferedResource, prefix = 'v1'): string => `${prefix}.${plural}.${group || 'core'}`;

/** Creates an APIResourceSchema; `prefix` tells one generation of a resource's schemas from the next. */
export async function createSchema(parent: string, resource: OfferedResource, prefix?: string): Promise<string> {
  const { group, plural, kind } = resource;
  const text = { type: 'string' };
  const schema = {
    type: 'object',
    properties: {
      spec: { type: 'object', properties: { text, number: { type: 'integer' } } },
      status: { type: 'object', properties: { text } },
    },
  };
  const version = (name: string, storage: boolean) => ({
    ...{ name, storage, served: true, schema, subresources: { status: {} } },
    additionalPrinterColumns: [{ name: 'Text', type: 'string', jsonPath: '.spec.text' }],
  });
  const spec = {
    group,
    names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
    scope: 'Namespaced',
    conversion: { strategy: 'None' },
    versions: [version('v1', true), version('v1alpha1', false)],
  };
  const name = schemaName(resource, prefix);
  const object = { apiVersion: 'apis.kcp.io/v1alpha1', kind: 'APIResourceSchema', metadata: { name }, spec };
  await eventually(`creation of APIResourceSchema ${name}`, async () =>
    (await adminIn(parent).post(`${APIS}/v1alpha1/apiresourceschemas`, object)).expect(201, 409),
  );
  return name;
}

/** Changes the export as `change` says. */
export async function updateExport({ parent, name }: CreatedExport, change: object): Promise<void> {
  (await adminIn(parent).mergePatch(`${APIS}/v1alpha2/apiexports/${name}`, change)).expect(200);
}

export async function deleteExport({ parent, name }: CreatedExport): Promise<void> {
  (await adminIn(parent).delete(`${APIS}/v1alpha2/apiexports/${name}`)).expect(200);
}

/** Binds an export in a workspace, waits until it is Bound and its accepted claims are applied; returns the binding's name. */
export async function bindExport(
  consumer: string,
  exported: CreatedExport,
  permissionClaims: readonly AcceptedClaim[] = [],
): Promise<string> {
  const name = `${exported.name}-${exported.cluster}`;
  const spec = { reference: { export: { path: exported.parent, name: exported.name } }, permissionClaims };
  const bindings = adminIn(consumer).at(BINDINGS);
  const binding = { apiVersion: 'apis.kcp.io/v1alpha2', kind: 'APIBinding', metadata: { name }, spec };
  await eventually(`creation of APIBinding ${name}`, async () => (await bindings.post('', binding)).expect(201, 409));
  await untilBound(consumer, name);
  return name;
}

async function untilBound(consumer: string, name: string): Promise<void> {
  await eventually(`APIBinding ${name} in ${consumer} to be Bound`, async () => {
    const { status } = (await adminIn(consumer).at(BINDINGS).get(`/${name}`)).expect(200).json<ApiBinding>();
    if (status?.phase !== 'Bound') throw new Error(JSON.stringify(status));
  });
}

/** Changes what the binding says to the export's claims. */
export async function decideClaims(consumer: string, binding: string, permissionClaims: readonly AcceptedClaim[]): Promise<void> {
  (await adminIn(consumer).at(BINDINGS).mergePatch(`/${binding}`, { spec: { permissionClaims } })).expect(200);
}

/** The claim as a consumer accepts it. */
export const accept = (claim: Claim, selector: Selector = { matchAll: true }): AcceptedClaim => ({
  ...claim,
  selector,
  state: 'Accepted',
});

export const reject = (claim: Claim): AcceptedClaim => ({ ...accept(claim), state: 'Rejected' });

/** The export's view as one identity; the root shard's, unless another one is given. */
export function viewOfExport({ cluster, name }: CreatedExport, credentials: Credentials, shard?: TargetShard): Client {
  return atVirtualWorkspaces(credentials, shard).at(`/services/apiexport/${cluster}/${name}`);
}

/** Lets a user do `verbs` with the export's content; the returned function takes that away again. */
export async function grantContent(
  { parent, name: exported }: CreatedExport,
  user: string,
  verbs: readonly string[],
): Promise<() => Promise<void>> {
  const rules = [{ verbs, apiGroups: ['apis.kcp.io'], resources: ['apiexports/content'], resourceNames: [exported] }];
  return grantRules(parent, { kind: 'User', name: user }, rules);
}

/** A ClusterRole with its binding in a workspace, for one subject; the returned function takes it away again. */
export async function grantRules(
  parent: string,
  subject: { readonly kind: 'User' | 'Group'; readonly name: string },
  rules: readonly object[],
): Promise<() => Promise<void>> {
  const metadata = { name: `e2e-${uniqueSuffix()}` };
  const workspace = adminIn(parent).at(RBAC);
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name };
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', ...subject }];
  (await workspace.post('/clusterroles', { apiVersion, kind: 'ClusterRole', metadata, rules })).expect(201);
  const binding = { apiVersion, kind: 'ClusterRoleBinding', metadata, roleRef, subjects };
  (await workspace.post('/clusterrolebindings', binding)).expect(201);
  return async () => {
    (await workspace.delete(`/clusterrolebindings/${metadata.name}`)).expect(200);
  };
}
