import { isMasters } from '@kcp-vw/shared/authn/identity.ts';
import type { Reviewer } from '@kcp-vw/shared/authz/reviewer.ts';
import type { Informer } from '@kcp-vw/shared/informer/informer.ts';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import type { RequestInfo } from '@kcp-vw/shared/target/request-info.ts';
import { allow, type Call, type Decision, deny } from '@kcp-vw/shared/view/view.ts';
import type { ApiDomains } from './api-domains.ts';
import type { ApiBinding, ApiExport, ExportKey } from './apis-kcp-io.ts';
import { acceptedClaims, agreedVerbs, bindingOf, isBound } from './bindings.ts';
import { API_BINDINGS, claimedAs } from './claimable-apis.ts';
import { prefixedUser } from './prefixed-user.ts';

/** Parameters of the view's path. A type, not an interface: a scope is a plain record. */
export type ExportScope = {
  /** Name of the logical cluster that the export lives in. */
  readonly exportCluster: string;
  readonly export: string;
  /** Name of a logical cluster, or `*`. */
  readonly cluster: string;
};

export const exportKey = ({ exportCluster, export: name }: ExportScope): ExportKey => ({ cluster: exportCluster, name });

export interface AuthorizationDependencies {
  readonly domains: Pick<ApiDomains, 'exportOf' | 'exportsOf' | 'setOf'>;
  readonly bindings: Pick<Informer<ApiBinding>, 'byIndex'>;
  readonly reviewer: Reviewer;
  /** Asks what permissions say, and nothing else that stands before a logical cluster. */
  readonly deepReviewer: Reviewer;
}

/** Callers are told nothing of why: it would tell of exports, bindings and roles that are not theirs. */
const refused = (because: string): Decision => deny(because, 'access denied');

const ALL_VERBS = '*';
const READ_VERBS: readonly string[] = ['get', 'list', 'watch'];

/**
 * What kcp's view asks, in its order: has the logical cluster invited the export in, for this; may the caller use the export's content;
 * and, for what other exports lend, do these lend it to him. The first no decides.
 */
export async function authorize(call: Call<ExportScope>, dependencies: AuthorizationDependencies): Promise<Decision> {
  const { caller, scope, request } = call;
  if (isMasters(caller)) return allow('system:masters');
  const key = exportKey(scope);
  if (dependencies.domains.exportOf(key) === undefined) return authorizeAppearing(call, dependencies);
  const bound = authorizeBinding(scope, request, dependencies);
  if (!bound.allowed) return bound;
  const content = await authorizeContent(call, dependencies);
  if (!content.allowed) return content;
  return authorizePolicies(call, dependencies);
}

/** Of an export that is not known here only who may use its content is made to wait for it. */
async function authorizeAppearing(call: Call<ExportScope>, dependencies: AuthorizationDependencies): Promise<Decision> {
  const content = await authorizeContent(call, dependencies);
  if (!content.allowed) return content;
  const key = exportKey(call.scope);
  await dependencies.domains.setOf(key);
  if (dependencies.domains.exportOf(key) === undefined) return refused(`there is no APIExport ${key.cluster}:${key.name}`);
  const bound = authorizeBinding(call.scope, call.request, dependencies);
  return bound.allowed ? authorizePolicies(call, dependencies) : bound;
}

function authorizeBinding(scope: ExportScope, request: RequestInfo, { domains, bindings }: AuthorizationDependencies): Decision {
  if (scope.cluster === '*' || !request.isResourceRequest) return allow('no single logical cluster is asked for');
  const key = exportKey(scope);
  const exported = domains.exportOf(key);
  const binding = bindingOf(bindings, scope.cluster, key);
  if (exported === undefined || binding === undefined)
    return refused(`${scope.cluster} does not bind ${key.cluster}:${key.name}`);
  return bindingAllows(exported, binding, request);
}

function bindingAllows(exported: ApiExport, binding: ApiBinding, { apiGroup, resource, verb }: RequestInfo): Decision {
  const name = `${binding.metadata?.name}`;
  const what = `${resource}.${apiGroup || 'core'}`;
  if (isBound(binding, apiGroup, resource)) return allow(`APIBinding ${name} binds ${what}`);
  const claims = acceptedClaims(binding, apiGroup, resource);
  for (const claim of claims) {
    const verbs = agreedVerbs(exported, claim);
    if (verbs.includes(verb) || verbs.includes(ALL_VERBS)) return allow(`APIBinding ${name} accepts the claim to ${what}`);
  }
  if (apiGroup === API_BINDINGS.group && resource === API_BINDINGS.resource && READ_VERBS.includes(verb)) {
    return allow('bindings may always be read');
  }
  const why = claims.length > 0 ? `not for the verb ${verb}` : 'not at all';
  return refused(`APIBinding ${name} accepts a claim to ${what} ${why}`);
}

async function authorizeContent(
  { caller, scope, request }: Call<ExportScope>,
  { reviewer }: AuthorizationDependencies,
): Promise<Decision> {
  const { verb } = request;
  const { allowed } = await reviewer.review(scope.exportCluster, {
    user: caller,
    resource: {
      group: 'apis.kcp.io',
      version: 'v1alpha1',
      resource: 'apiexports',
      subresource: 'content',
      name: scope.export,
      verb,
    },
  });
  const what = `${verb} the content of ${scope.exportCluster}:${scope.export}`;
  return allowed ? allow(`may ${what}`) : refused(`may not ${what}`);
}

/** Of a resource that is claimed from other exports, each of these that has a maximal permission policy has to allow it. */
async function authorizePolicies(
  { caller, scope, request }: Call<ExportScope>,
  { domains, deepReviewer }: AuthorizationDependencies,
): Promise<Decision> {
  const as = claimedAs(request.apiGroup, request.resource);
  const claims = domains.exportOf(exportKey(scope))?.spec?.permissionClaims ?? [];
  const claim = claims.find(({ group = '', resource }) => group === as.group && resource === as.resource);
  if (!request.isResourceRequest || claim === undefined) return allow(`may ${request.verb} the export's content`);
  if (!claim.identityHash) return allow(`${request.resource} is claimed, and belongs to no other export`);

  const owners = domains.exportsOf(claim.identityHash);
  if (owners.length === 0) return refused(`no APIExport has the identity ${claim.identityHash}`);
  const user = prefixedUser(caller);
  const { apiGroup: group, apiVersion: version, resource, subresource, verb, name, namespace } = request;
  for (const owner of owners) {
    if (owner.spec?.maximalPermissionPolicy?.local === undefined) continue;
    const home = clusterOf(owner);
    const asked = { user, resource: { group, version, resource, subresource, verb, name, namespace } };
    const { allowed } = await deepReviewer.review(home, asked);
    if (!allowed) return refused(`the maximal permission policy of ${home}:${owner.metadata?.name} does not allow it`);
  }
  return allow('claimed, and every maximal permission policy allows it');
}
