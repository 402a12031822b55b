import type { KubeObject } from '../../support/kube.ts';
import * as schemas from './schemas.ts';
import { APIS, create, readWhere, SCHEMAS } from './shard.ts';

/** A claim of the export `wild`, and what the consumer that accepts most says to it. */
export interface Claim {
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly string[];
  readonly identityHash?: string;
  readonly answer: {
    readonly state: 'Accepted' | 'Rejected';
    readonly verbs: readonly string[];
    readonly matchLabels?: Readonly<Record<string, string>>;
  };
}

const ALL = ['*'];

const accepted = (group: string, resource: string, verbs: readonly string[], more: Partial<Claim['answer']> = {}): Claim => ({
  group,
  resource,
  verbs,
  answer: { state: 'Accepted', verbs, ...more },
});

/** The label that limits the claim of service accounts. */
export const TEAM = { team: 'wild' };

const BUILT_IN_CLAIMS: readonly Claim[] = [
  accepted('', 'configmaps', ALL),
  accepted('', 'secrets', ['get', 'list']),
  accepted('', 'serviceaccounts', ALL, { matchLabels: TEAM }),
  accepted('', 'events', ALL),
  accepted('', 'namespaces', ['get', 'list', 'watch', 'create']),
  // The two lists have no verb in common when they are compared literally.
  accepted('', 'resourcequotas', ['get', 'list'], { verbs: ALL }),
  accepted('coordination.k8s.io', 'leases', ALL),
  accepted('rbac.authorization.k8s.io', 'roles', ALL, { state: 'Rejected' }),
  accepted('authorization.k8s.io', 'subjectaccessreviews', ['create']),
  accepted('authorization.k8s.io', 'localsubjectaccessreviews', ['create']),
  accepted('apiextensions.k8s.io', 'customresourcedefinitions', ['get', 'list']),
  accepted('apis.kcp.io', 'apiresourceschemas', ALL),
];

const exported = ({ metadata, spec }: typeof schemas.cowboys) => ({
  name: spec.names.plural,
  group: spec.group,
  schema: metadata.name,
  storage: { crd: {} },
});

const claimSpec = ({ group, identityHash, resource, verbs }: Claim) => ({
  group,
  resource,
  verbs,
  ...(identityHash && { identityHash }),
});

interface Export extends KubeObject {
  readonly status?: { readonly identityHash?: string };
}

/** Creates an export and resolves to its identity. */
async function createExport(cluster: string, name: string, spec: Readonly<Record<string, unknown>>): Promise<string> {
  await create(cluster, `${APIS}/apiexports`, {
    apiVersion: 'apis.kcp.io/v1alpha2',
    kind: 'APIExport',
    metadata: { name },
    spec,
  });
  const found = await readWhere<Export>(
    cluster,
    `${APIS}/apiexports/${name}`,
    'has an identity',
    ({ status }) => !!status?.identityHash,
  );
  return found.status?.identityHash ?? '';
}

export interface Exports {
  readonly identities: Readonly<Record<'law' | 'aid' | 'wild' | 'tame' | 'bare', string>>;
  readonly claims: readonly Claim[];
}

/** The exports `wild`, `tame` and `bare` in `home`; `law`, with a maximal permission policy, and `aid` in `foreign`. */
export async function createExports(home: string, foreign: string): Promise<Exports> {
  for (const schema of [schemas.cowboys, schemas.ranches, schemas.sheep]) await create(home, SCHEMAS, schema);
  for (const schema of [schemas.sheriffs, schemas.deputies]) await create(foreign, SCHEMAS, schema);
  const law = await createExport(foreign, 'law', {
    resources: [exported(schemas.sheriffs)],
    maximalPermissionPolicy: { local: {} },
  });
  const aid = await createExport(foreign, 'aid', { resources: [exported(schemas.deputies)] });
  const claims = [
    ...BUILT_IN_CLAIMS,
    { ...accepted(schemas.LAW, 'sheriffs', ALL), identityHash: law },
    { ...accepted(schemas.LAW, 'deputies', ALL), identityHash: aid },
  ];
  const wild = await createExport(home, 'wild', {
    resources: [exported(schemas.cowboys), exported(schemas.ranches)],
    permissionClaims: claims.map(claimSpec),
  });
  const tame = await createExport(home, 'tame', {
    resources: [exported(schemas.sheep)],
    permissionClaims: [claimSpec(accepted('apis.kcp.io', 'apibindings', ALL)), claimSpec(accepted('', 'configmaps', ALL))],
  });
  const bare = await createExport(home, 'bare', {});
  return { identities: { law, aid, wild, tame, bare }, claims };
}

/** What a binding says to claims. */
export const answerTo = (claims: readonly Claim[]) =>
  claims.map(({ answer: { matchLabels, state, verbs }, ...claim }) => ({
    ...claimSpec({ ...claim, verbs, answer: { state, verbs } }),
    state,
    selector: matchLabels === undefined ? { matchAll: true } : { matchLabels },
  }));
