import { badRequest, notFound, StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Write } from '../store/definition.ts';
import { parseJson, readObject, readText } from './body.ts';
import type { ResourceCall } from './call.ts';
import { commitCreate, commitUpdate } from './commit.ts';
import { unknownFieldWarnings } from './field-validation.ts';
import { isDryRun, readDeleteOptions } from './options.ts';
import { page } from './read.ts';
import { deleted } from './refusals.ts';
import { type Representation, representationOf } from './representation.ts';
import { selectedBy } from './selection.ts';
import { sendBody } from './send.ts';

export async function create(call: ResourceCall): Promise<void> {
  const { definition, cluster, user, namespace, rest } = call;
  if (definition.namespaced && namespace === '') {
    throw new StatusError('MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
  }
  const representation = representationOf(call, 'get');
  const given = await readObject(call);
  const dryRun = isDryRun('CreateOptions', rest.query.getAll('dryRun'));
  const warnings = unknownFieldWarnings(call, given);
  const result =
    definition.evaluate === undefined
      ? commitCreate(call, given, dryRun)
      : await definition.evaluate(given, { verb: 'create', subresource: '', cluster, user, dryRun });
  await sendObject(call, representation, 201, result, warnings);
}

export async function update(call: ResourceCall): Promise<void> {
  const representation = representationOf(call, 'get');
  const given = await readObject(call);
  const dryRun = isDryRun('UpdateOptions', call.rest.query.getAll('dryRun'));
  const warnings = unknownFieldWarnings(call, given);
  await sendObject(call, representation, 200, commitUpdate(call, given, storedOf(call), dryRun), warnings);
}

/** `/finalize` of a namespace: the one way to change what holds it. */
export async function finalize(call: ResourceCall): Promise<void> {
  const { stored, cluster, store } = call;
  const representation = representationOf(call, 'get');
  const { spec, metadata } = await readObject(call);
  const previous = storedOf(call);
  const { resourceVersion = previous.metadata?.resourceVersion ?? '' } = metadata ?? {};
  const next = { ...previous, metadata: { ...previous.metadata, resourceVersion }, spec };
  await sendObject(call, representation, 200, store.update(stored, cluster, next));
}

/** `/token` of a service account: nothing is stored. */
export async function createToken(call: ResourceCall): Promise<void> {
  const parsed = parseJson(await readText(call.exchange));
  if ('error' in parsed) throw badRequest(`couldn't get version/kind; json parse error: ${parsed.error}`);
  const request = (parsed.value ?? {}) as KubeObject;
  const issued = call.definition.issueToken?.(request, storedOf(call)) ?? request;
  await sendBody(call.exchange, 201, 'application/json', Buffer.from(`${JSON.stringify(issued)}\n`));
}

export async function remove(call: ResourceCall): Promise<void> {
  const { definition, stored, cluster, namespace, request, store } = call;
  const representation = representationOf(call, 'get');
  const options = await readDeleteOptions(call);
  admitDeletion(call, storedOf(call), options.dryRun);
  const { object, gone } = store.delete(stored, { cluster, namespace, name: request.name }, options);
  if (!gone) return sendObject(call, representation, 200, object);
  await sendJson(call, deleted(definition, request.name, object.metadata?.uid ?? ''));
}

export async function removeCollection(call: ResourceCall): Promise<void> {
  const { stored, cluster, store } = call;
  const { dryRun } = await readDeleteOptions(call);
  const representation = representationOf(call, 'list');
  const { items, metadata } = page(call, selectedBy(call));
  const last = items.map(item => {
    admitDeletion(call, item, dryRun);
    const { name = '', namespace = '' } = item.metadata ?? {};
    return store.delete(stored, { cluster, namespace, name }, { dryRun }).object;
  });
  await sendBody(call.exchange, 200, representation.mediaType, representation.list(last, metadata));
}

function admitDeletion({ definition, cluster, user }: ResourceCall, previous: KubeObject, dryRun: boolean): void {
  const write: Write = { verb: 'delete', subresource: '', cluster, user, previous, dryRun };
  definition.admit?.(previous, write);
}

/** What is stored under the path's name. Throws a StatusError 404. */
export function storedOf({ definition, stored, cluster, namespace, request, store }: ResourceCall): KubeObject {
  const found = store.get(stored, cluster, request.name, namespace);
  if (found === undefined) throw notFound(definition, request.name);
  return found;
}

/** The result of a write, in the representation that was agreed on before anything was written. */
export const sendObject = (
  { exchange }: ResourceCall,
  { mediaType, ...made }: Representation,
  code: number,
  object: KubeObject,
  headers: readonly string[] = [],
) => sendBody(exchange, code, mediaType, Buffer.from(made.object(object)), headers);

const sendJson = ({ exchange }: ResourceCall, document: object): Promise<void> =>
  sendBody(exchange, 200, 'application/json', Buffer.from(`${JSON.stringify(document)}\n`));
