import { methodNotAllowed, notAcceptable, notFound } from '../kube/errors.ts';
import { OBJECT_OFFERS } from '../kube/media-type.ts';
import { UpstreamError } from '../upstream/upstream.ts';
import type { Call, Guard, Transform } from '../view/view.ts';
import { refOf } from './checked.ts';
import { requireCustomBody } from './custom-body.ts';
import type { Execution } from './execution.ts';
import { executeChecked } from './guarded.ts';
import { refuseListOfOne } from './list-of-one.ts';
import { statusOf } from './relay.ts';
import { executeTransformedRead } from './transform-read.ts';
import { relayTransformedWatch } from './transform-watch.ts';
import { requireSameObject } from './view-same-object.ts';
import { executeViewWrite, isViewWrite } from './view-write.ts';
import { wildcardMetadata } from './wildcard-metadata.ts';

/** Executes a transform: the shard's answer is taken apart, `plan.object` sees each object, and what it returns is what the caller sees. */
export async function executeTransform(execution: Execution, plan: Transform): Promise<void> {
  const { call } = execution;
  const { verb } = call.request;
  try {
    if (plan.write && call.request.isResourceRequest && isViewWrite(verb)) {
      return await executeViewWrite(execution, plan, plan.write);
    }
    requireCustomBody(execution, plan);
    refuseListOfOne(execution);
    refuseForeignMetadata(execution, plan);
    if (verb === 'watch') return await relayTransformedWatch(execution, plan);
    if (verb === 'get' || verb === 'list') return await executeTransformedRead(execution, plan);
    if ((verb === 'update' || verb === 'patch') && plan.admit) {
      const guard = guardOf(plan, plan.admit, call);
      return await executeChecked({ ...execution, plan, guard }, () => Promise.reject(unsupported(call)));
    }
  } catch (error) {
    throw error instanceof UpstreamError ? statusOf(error, execution.shard) : error;
  }
  throw unsupported(call);
}

/** Throws a StatusError 406 for metadata that a shard would take from the objects of all identities. */
function refuseForeignMetadata(execution: Execution, plan: Transform): void {
  if (plan.reads === 'object' || plan.identity === undefined || !wildcardMetadata(execution, plan)) return;
  throw notAcceptable(OBJECT_OFFERS.map(({ mediaType }) => mediaType));
}

/** What is not the caller's to see cannot be written, and nothing is made. */
const guardOf = (plan: Transform, admit: NonNullable<Transform['admit']>, call: Call): Guard => ({
  visible: object => plan.object(object) !== undefined,
  mayCreate: async () => notFound(refOf({ call }), call.request.name),
  admit: ({ stored = {}, proposed = {} }) => {
    const { apiVersion, kind, metadata } = stored;
    requireSameObject({ apiVersion, kind, name: metadata?.name ?? '' }, proposed);
    return admit(stored, proposed);
  },
});

const unsupported = (call: Call): Error => methodNotAllowed(refOf({ call }), call.request.verb);
