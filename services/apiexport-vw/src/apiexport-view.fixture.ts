/** Test equipment: the view of an export that exports one API and claims two others. */
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Answer, Forward } from '@kcp-vw/shared/view/view.ts';
import { createApiDomains, EXPORT_INDEXES } from './api-domains.ts';
import {
  type BindingParts,
  bindingAt,
  callTo,
  exportAt,
  fakeReviewer,
  LiveInformer,
  ORDINARY_SHARD,
  schemaAt,
} from './apiexport.fixture.ts';
import { apiExportView } from './apiexport-view.ts';
import type { ApiBinding, ApiExport, ApiResourceSchema } from './apis-kcp-io.ts';
import { BINDING_INDEXES } from './bindings.ts';
import { claimLabelKey, claimLabelValue } from './claim-labels.ts';

export const KEY = { cluster: 'provider', name: 'cowboys.dev' };
export const AT = 'provider/cowboys.dev';
export const COWBOYS = '/apis/dev/v1/cowboys';
export const SHERIFFS = '/apis/wild/v1/sheriffs';
export const CONFIGMAPS = '/api/v1/configmaps';
export const BINDINGS = '/apis/apis.kcp.io/v1alpha2/apibindings';
const verbs = ['*'];
export const CLAIM = { resource: 'configmaps', verbs };
export const LENT = { group: 'wild', resource: 'sheriffs', verbs, identityHash: 'lent' };
export const SELECT = `${claimLabelKey(KEY)}=${claimLabelValue(CLAIM)}`;

export interface World {
  readonly phase?: string;
  readonly impersonateReads?: boolean;
  readonly mayUse?: (verb: string | undefined) => boolean;
  readonly binding?: BindingParts | null;
}

const CLAIMS = [CLAIM, LENT].map(claim => ({ ...claim, state: 'Accepted', selector: { matchAll: true } }));

/** `consumer` binds the one and accepts the others. */
export function world({
  phase = 'Ready',
  impersonateReads = false,
  mayUse = () => true,
  binding = { bound: ['cowboys.dev'], claims: CLAIMS },
}: World = {}) {
  const exports = new LiveInformer<ApiExport>(EXPORT_INDEXES);
  const schemas = new LiveInformer<ApiResourceSchema>();
  const bindings = new LiveInformer<ApiBinding>(BINDING_INDEXES);
  const logicalClusters = new LiveInformer<KubeObject>();
  schemas.put(schemaAt('provider/c', 'cowboys.dev', { versions: [{ subresources: { status: {} } }] }));
  schemas.put(schemaAt('lender/s', 'sheriffs.wild'));
  exports.put(exportAt(AT, { schemas: ['c'], claims: [CLAIM, LENT] }));
  exports.put(exportAt('lender/x', { identity: 'lent', schemas: ['s'] }));
  if (binding) bindings.put(bindingAt('consumer/b', AT, binding));
  if (phase) {
    const metadata = { name: 'cluster', resourceVersion: '1', annotations: { 'kcp.io/cluster': 'consumer' } };
    logicalClusters.put({ metadata, status: { phase } });
  }
  const domains = createApiDomains({ shardResources: ORDINARY_SHARD, exports, schemas, openapi: () => undefined, patience: 0 });
  const reviewer = fakeReviewer((_, { resource }) => mayUse(resource?.verb));
  const deepReviewer = fakeReviewer();
  const view = apiExportView({ domains, bindings, logicalClusters, reviewer, deepReviewer, impersonateReads, ready: {} });
  return { view, exports, reviewer };
}

export const answerTo = async (
  ...[cluster, path, options, parts]: [cluster: string, path: string, options?: Parameters<typeof callTo>[2], parts?: World]
): Promise<Answer> => world(parts).view.answer(callTo(cluster, path, options));

export function forwarded(answer: Answer): Forward {
  if (answer.kind !== 'forward') throw new Error(`it is answered with ${answer.kind}: ${answer.because}`);
  return answer;
}

export const forwardOf = async (...call: Parameters<typeof answerTo>): Promise<Forward> => forwarded(await answerTo(...call));
