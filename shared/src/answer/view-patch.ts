import { notFound, StatusError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { type Attempt, conclude, contentTypeOf, errorResponse, readBody, refOf } from './checked.ts';
import { namespaceOf } from './serve-options.ts';
import { patchOf } from './view-patch-body.ts';
import { requireSameObject, requireSameUid } from './view-same-object.ts';
import { carryOut, readStored, type ViewWriting } from './view-steps.ts';

/**
 * A patch is an update with what it makes of the view. The shard cannot compute it: it has another object. After a conflict it is applied
 * to what there is then, unless it names the version that it is about.
 */
export async function patchView(writing: ViewWriting): Promise<void> {
  const { call, plan } = writing;
  const patched = {
    ...refOf(writing),
    version: call.request.apiVersion,
    ...(plan.customKind !== undefined && { customKind: plan.customKind }),
  };
  const patch = patchOf(contentTypeOf(writing), await readBody(writing), patched);
  await conclude(writing, async (): Promise<Attempt> => {
    const found = await readStored(writing);
    if ('response' in found) return { response: found.response, retry: false };
    const { stored } = found;
    const view = plan.object(stored);
    if (view === undefined) throw notFound(refOf(writing), call.request.name);
    const result = patch(view);
    requireSameObject(identityOf(writing, view), result);
    requireSameUid(writing, stored, result);
    const submitted = withDefaults(writing, view, result);
    const isBound = submitted.metadata?.resourceVersion !== view.metadata?.resourceVersion;
    try {
      const planned = await writing.write({ verb: 'update', subresource: call.request.subresource, stored, submitted });
      const response = await carryOut(writing, planned, stored);
      return { response, retry: response.status === 409 && !isBound };
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 409 || isBound) throw error;
      return { response: errorResponse(error), retry: true };
    }
  });
}

const identityOf = ({ call }: ViewWriting, { apiVersion, kind }: KubeObject) => ({
  apiVersion,
  kind,
  name: call.request.name,
  namespace: namespaceOf(call.request),
});

/** What a patch takes away without which an update would be about another object: it is about the one that was looked at. */
function withDefaults({ call }: ViewWriting, view: KubeObject, { metadata, ...patched }: KubeObject): KubeObject {
  const namespace = metadata?.namespace || namespaceOf(call.request);
  const resourceVersion = metadata?.resourceVersion || view.metadata?.resourceVersion;
  return {
    ...patched,
    metadata: {
      ...metadata,
      ...(namespace !== '' && { namespace }),
      ...(resourceVersion !== undefined && { resourceVersion }),
    },
  };
}
