/** The subresource `scale` of custom resources: the numbers that an autoscaler reads and writes, wherever the schema has them. */

import { badRequest, unsupportedMediaType } from '@kcp-vw/shared/kube/errors.ts';
import { compileJsonPath } from '@kcp-vw/shared/kube/json-path.ts';
import { mergePatch } from '@kcp-vw/shared/kube/merge-patch.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ScalePaths } from '../store/definition.ts';
import { contentType, parseJson, readText } from './body.ts';
import type { ResourceCall } from './call.ts';
import { commitUpdate } from './commit.ts';
import { isObject } from './merge.ts';
import { isDryRun } from './options.ts';
import { sendBody } from './send.ts';
import { storedOf } from './write.ts';

interface Scale {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly spec?: { readonly replicas?: number };
}

const MERGE_PATCH = 'application/merge-patch+json';

export const getScale = (call: ResourceCall): Promise<void> => answer(call, storedOf(call));

export async function updateScale(call: ResourceCall): Promise<void> {
  await write(call, storedOf(call), (await readJson(call)) as Scale);
}

export async function patchScale(call: ResourceCall): Promise<void> {
  if (contentType(call.exchange) !== MERGE_PATCH) throw unsupportedMediaType([MERGE_PATCH]);
  const stored = storedOf(call);
  await write(call, stored, mergePatch(scaleOf(call, stored), await readJson(call)) as Scale);
}

async function write(call: ResourceCall, stored: KubeObject, { metadata, spec }: Scale): Promise<void> {
  const replicas = spec?.replicas ?? 0;
  if (!Number.isInteger(replicas)) throw badRequest('spec.replicas of a Scale is a whole number');
  const { resourceVersion = stored.metadata?.resourceVersion ?? '' } = metadata ?? {};
  const scaled = withValue(stored, pathsOf(call).specReplicasPath, replicas);
  const given = { ...scaled, metadata: { ...scaled.metadata, resourceVersion } };
  const dryRun = isDryRun('UpdateOptions', call.rest.query.getAll('dryRun'));
  // What is written is the object itself, and not its subresource.
  const whole = { ...call, request: { ...call.request, subresource: '' } };
  await answer(call, commitUpdate(whole, { ...given, apiVersion: call.apiVersion }, stored, dryRun));
}

async function readJson({ exchange }: ResourceCall): Promise<Record<string, unknown>> {
  const parsed = parseJson(await readText(exchange));
  if ('error' in parsed) throw badRequest(`error decoding a Scale: ${parsed.error}`);
  if (!isObject(parsed.value)) throw badRequest('error decoding a Scale: it is an object');
  return parsed.value;
}

function pathsOf({ definition, request }: ResourceCall): ScalePaths {
  const paths = definition.scale?.[request.apiVersion];
  if (paths === undefined) throw new Error(`${definition.resource} has no scale in ${request.apiVersion}`);
  return paths;
}

function scaleOf(call: ResourceCall, object: KubeObject): Record<string, unknown> {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = pathsOf(call);
  const read = (path: string): unknown => compileJsonPath(path)?.(object);
  const selector = labelSelectorPath === undefined ? undefined : read(labelSelectorPath);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata ?? {};
  const replicas = read(specReplicasPath);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { ...(replicas !== undefined && replicas !== 0 && { replicas }) },
    status: { replicas: read(statusReplicasPath) ?? 0, ...(selector !== undefined && { selector }) },
  };
}

/** The object with a value at a path of plain fields, `.spec.replicas`: schemas can name no others. */
function withValue(object: KubeObject, path: string, value: unknown): KubeObject {
  const put = (into: unknown, [first = '', ...rest]: readonly string[]): unknown => ({
    ...(isObject(into) ? into : {}),
    [first]: rest.length === 0 ? value : put(isObject(into) ? into[first] : undefined, rest),
  });
  return put(object, path.split('.').filter(Boolean)) as KubeObject;
}

const answer = (call: ResourceCall, object: KubeObject): Promise<void> =>
  sendBody(call.exchange, 200, 'application/json', Buffer.from(`${JSON.stringify(scaleOf(call, object))}\n`));
