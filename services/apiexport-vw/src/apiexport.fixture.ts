/** Test equipment: exports and bindings, what an API set is made of, and callers with their reviews. */
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import type { ReviewAttributes, Reviewer } from '@kcp-vw/shared/authz/reviewer.ts';
import type { InformerEvent } from '@kcp-vw/shared/informer/informer.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { requestInfo } from '@kcp-vw/shared/target/request-info.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import { metadata } from '@kcp-vw/shared/view/schema-resources.fixture.ts';
import type { Call } from '@kcp-vw/shared/view/view.ts';
import type { ApiSources } from './api-set.ts';
import type { AcceptableClaim, ApiBinding, ApiExport, ApiResourceSchema, PermissionClaim } from './apis-kcp-io.ts';
import type { ExportScope } from './authorization.ts';
import { FakeInformer } from './resource-schemas.fixture.ts';
import type { ShardResources } from './shard-resources.ts';

export { type SchemaParts, schemaAt } from '@kcp-vw/shared/view/schema-resources.fixture.ts';

export interface ExportParts {
  readonly identity?: string | undefined;
  readonly schemas?: readonly string[];
  readonly claims?: readonly PermissionClaim[];
  readonly policy?: boolean;
}

/** `at`: `<logical cluster>/<name>`. */
export function exportAt(
  at: string,
  { identity = 'own-identity', schemas = [], claims = [], policy = false }: ExportParts = {},
): ApiExport {
  const [cluster = '', name = ''] = at.split('/');
  return Object.freeze({
    metadata: metadata(cluster, name),
    spec: {
      resources: schemas.map(schema => ({ group: '', name: schema, schema })),
      permissionClaims: claims,
      ...(policy && { maximalPermissionPolicy: { local: {} } }),
    },
    status: { ...(identity !== '' && { identityHash: identity }) },
  });
}

export interface BindingParts {
  /** `<plural>.<group>`. */
  readonly bound?: readonly string[];
  readonly claims?: readonly AcceptableClaim[];
  readonly path?: string;
  /** Empty: not known yet. */
  readonly status?: string;
}

/** Of the export `to`, `<logical cluster>/<name>`, in the logical cluster and by the name of `at`. */
export function bindingAt(at: string, to: string, { bound = [], claims = [], path, status }: BindingParts = {}): ApiBinding {
  const [cluster = '', name = ''] = at.split('/');
  const [provider = '', exported = ''] = to.split('/');
  return Object.freeze({
    metadata: metadata(cluster, name),
    spec: { reference: { export: { ...(path !== undefined && { path }), name: exported } }, permissionClaims: claims },
    status: {
      apiExportClusterName: status ?? provider,
      boundResources: bound.map(text => {
        const [resource = '', ...group] = text.split('.');
        return { group: group.join('.'), resource };
      }),
    },
  });
}

/** What a cache with just these objects would say. */
export function sourcesOf(exports: readonly ApiExport[], schemas: readonly ApiResourceSchema[]): ApiSources {
  return {
    schema: (cluster, name) => schemas.find(one => clusterOf(one) === cluster && one.metadata?.name === name),
    exportsOf: identityHash => exports.filter(({ status }) => status?.identityHash === identityHash),
    isShardsOwn: ORDINARY_SHARD.includes,
    openapi: () => undefined,
  };
}

/** A shard that has nothing by itself beyond what may be claimed. */
export const ORDINARY_SHARD: Pick<ShardResources, 'known' | 'includes'> = { known: () => true, includes: () => false };

/** An informer whose listeners can leave. */
export class LiveInformer<T extends KubeObject> extends FakeInformer<T> {
  override onEvent(listener: (event: InformerEvent<T>) => void): () => void {
    let isListening = true;
    super.onEvent(event => isListening && listener(event));
    return () => {
      isListening = false;
    };
  }
}

export const alice: Caller = Object.freeze({
  name: 'alice',
  uid: 'u1',
  groups: Object.freeze(['team', 'system:authenticated']),
  extra: Object.freeze({ color: Object.freeze(['red']) }),
  method: 'token',
});
export const masters: Caller = Object.freeze({ ...alice, groups: Object.freeze(['system:masters', 'system:authenticated']) });

/** To the export `provider/cowboys.dev`. */
export function callTo(cluster: string, path: string, { method = 'GET', caller = alice } = {}): Call<ExportScope> {
  const target = parseTarget(path);
  const scope = { exportCluster: 'provider', export: 'cowboys.dev', cluster };
  return Object.freeze({ caller, scope, request: requestInfo(method, target), query: target.query });
}

export interface FakeReviewer extends Reviewer {
  readonly asked: (ReviewAttributes & { readonly cluster: string })[];
}

export function fakeReviewer(allows: (cluster: string, attributes: ReviewAttributes) => boolean = () => true): FakeReviewer {
  const asked: FakeReviewer['asked'] = [];
  return {
    asked,
    async review(cluster, attributes) {
      asked.push({ cluster, ...attributes });
      return { allowed: allows(cluster, attributes), reason: 'because of a role that the caller cannot see' };
    },
    stats: () => {
      throw new Error('nobody asks a fake reviewer for its statistics');
    },
  };
}
