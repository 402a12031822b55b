import { sendStatus, sendText } from '@kcp-vw/shared/answer/send.ts';
import { systemClock } from '@kcp-vw/shared/informer/clock.ts';
import { apiVersionOf } from '@kcp-vw/shared/kube/discovery.ts';
import { methodNotAllowed, notFound, resourceNotServed, StatusError } from '@kcp-vw/shared/kube/errors.ts';
import { JSON_OFFERS, negotiate, wantedTransform } from '@kcp-vw/shared/kube/media-type.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValue, headerValues } from '@kcp-vw/shared/listener/headers.ts';
import type { RequestInfo } from '@kcp-vw/shared/target/request-info.ts';
import { ALL_VERBS, type ResourceDefinition, storedDefinition } from '../store/definition.ts';
import { NAMESPACES } from '../store/kubernetes-resources.ts';
import type { Registry } from '../store/registry.ts';
import type { Store } from '../store/store.ts';
import type { ApiRequest, ApiSettings, ResourceCall } from './call.ts';
import { documentsOf, emptyGroupVersion } from './discovery.ts';
import { patch } from './patch.ts';
import { get, list } from './read.ts';
import { PAGE_NOT_FOUND } from './refusals.ts';
import { getScale, patchScale, updateScale } from './scale.ts';
import { sendBody } from './send.ts';
import { watch } from './watch.ts';
import { create, createToken, finalize, remove, removeCollection, update } from './write.ts';

export const DEFAULT_SETTINGS: ApiSettings = {
  clock: systemClock,
  serverAddress: '127.0.0.1:6444',
  bookmarkInterval: 25_000,
};

/**
 * Executes a request for resources or for documents as a shard's API server does, after authentication and authorization. Refusals are
 * answered; a rejection is a bug. Resolves when the response is over.
 */
export async function handleApi(
  exchange: Exchange,
  request: ApiRequest,
  store: Store,
  registry: Registry,
  settings: Partial<ApiSettings> = {},
): Promise<void> {
  try {
    const all = { ...DEFAULT_SETTINGS, ...settings };
    if (request.request.isResourceRequest) await handleResource({ ...request, exchange, store, registry, settings: all });
    else await handleDocument(exchange, request, registry, all);
  } catch (error) {
    // A client that goes away while its body is read is nobody's bug.
    if (exchange.closed && exchange.body?.errored) return;
    if (!(error instanceof StatusError)) throw error;
    sendStatus(exchange, error);
  }
}

async function handleDocument(exchange: Exchange, { cluster, request }: ApiRequest, registry: Registry, settings: ApiSettings) {
  const path = request.path.length > 1 && request.path.endsWith('/') ? request.path.slice(0, -1) : request.path;
  if (['/healthz', '/livez', '/readyz'].includes(path)) return sendText(exchange, 200, 'ok');
  const document = documentsOf(registry, cluster, settings.serverAddress).get(path) ?? emptyGroupVersion(path);
  if (document === undefined) return sendText(exchange, 404, PAGE_NOT_FOUND);
  const { mediaType } = negotiate(headerValues(exchange.headers, 'accept').join(',') || undefined, JSON_OFFERS);
  if (headerValue(exchange.headers, 'if-none-match') === document.etag) {
    exchange.writeHead(304, ['etag', document.etag]);
    exchange.end();
    return;
  }
  await sendBody(exchange, 200, mediaType, document.body, ['etag', document.etag]);
}

type Operation = (call: ResourceCall) => Promise<void>;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  get,
  list,
  watch,
  create,
  update,
  patch,
  delete: remove,
  deletecollection: removeCollection,
};
const STATUS_OPERATIONS: Readonly<Record<string, Operation>> = { get, update, patch };
const SCALE_OPERATIONS: Readonly<Record<string, Operation>> = { get: getScale, update: updateScale, patch: patchScale };
const TOKEN_OPERATIONS: Readonly<Record<string, Operation>> = { create: createToken };
const FINALIZE_OPERATIONS: Readonly<Record<string, Operation>> = { update: finalize };

type Asked = Omit<ResourceCall, 'definition' | 'stored' | 'apiVersion' | 'namespace'>;

async function handleResource(given: Asked): Promise<void> {
  const { exchange, cluster, request } = given;
  const definition = definitionOf(given);
  if (definition === undefined) return sendText(exchange, 404, PAGE_NOT_FOUND);
  const apiVersion = apiVersionOf({ group: request.apiGroup, version: request.apiVersion });
  // A namespace's own path names it as namespace, too; cluster-scoped resources are also served below one.
  const namespace = definition.namespaced ? request.namespace : '';
  const call: ResourceCall = { ...given, definition, stored: storedDefinition(definition), apiVersion, namespace };
  if (cluster === '*' && !['list', 'watch'].includes(request.verb)) throw resourceNotServed();
  await operationOf(call)(call);
}

/**
 * What is served in the version asked for; a logical cluster may be asked for a resource of this identity and no other. What comes from an API export is asked for in all logical clusters at once under the
 * export's identity only, `<resource>:<identity>`, but for its metadata alone.
 */
function definitionOf({ exchange, cluster, registry, request }: Asked): ResourceDefinition | undefined {
  const [resource = '', identity] = request.resource.split(':');
  const ref = { group: request.apiGroup, resource };
  const isInVersion = ({ versions }: ResourceDefinition): boolean => versions.includes(request.apiVersion);
  if (cluster !== '*') {
    const own = registry.find(cluster, ref);
    // Kubernetes' own types are served under any identity: the suffix is cut off before anybody looks for it.
    const isMeant = identity === undefined || own?.custom === false || own?.identity === identity;
    return own !== undefined && isMeant && isInVersion(own) ? own : undefined;
  }
  const accept = headerValues(exchange.headers, 'accept').join(',') || undefined;
  const isOfMetadata = wantedTransform(accept)?.kind.startsWith('PartialObjectMetadata') === true;
  const isMeant = (definition: ResourceDefinition): boolean => {
    // A CRD is a matter of its logical cluster alone.
    const isForAll = !definition.identity && definition.schemaCluster === undefined;
    return isForAll || (identity === undefined ? isOfMetadata : definition.identity === identity);
  };
  return registry.findAll(ref).find(one => isInVersion(one) && isMeant(one));
}

function operationOf({ definition, request, exchange }: ResourceCall): Operation {
  const operations = operationsOf(definition, request);
  if (operations === undefined || request.parts.length > 3) throw notFound(definition, request.name);
  const isNamed = request.parts.length > 1;
  const isOfMany = ['create', 'list', 'watch', 'deletecollection'].includes(request.verb) && request.subresource === '';
  const fits = isOfMany ? !isNamed : isNamed;
  const verbs = definition.verbs ?? ALL_VERBS;
  const operation = Object.hasOwn(operations, request.verb) ? operations[request.verb] : undefined;
  if (operation === undefined || !fits || (request.subresource === '' && !verbs.includes(request.verb))) {
    throw methodNotAllowed(definition, request.verb || exchange.method.toLowerCase());
  }
  return operation;
}

function operationsOf(
  definition: ResourceDefinition,
  { subresource, apiVersion }: Pick<RequestInfo, 'subresource' | 'apiVersion'>,
): Readonly<Record<string, Operation>> | undefined {
  if (subresource === 'token' && definition.issueToken !== undefined) return TOKEN_OPERATIONS;
  if (subresource === '') return OPERATIONS;
  if (subresource === 'status' && definition.statusSubresource) return STATUS_OPERATIONS;
  if (subresource === 'scale' && definition.scale?.[apiVersion] !== undefined) return SCALE_OPERATIONS;
  return subresource === 'finalize' && definition.resource === NAMESPACES.resource ? FINALIZE_OPERATIONS : undefined;
}
