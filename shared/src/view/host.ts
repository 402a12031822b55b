import type { Engine } from '../answer/engine.ts';
import { sendStatus } from '../answer/send.ts';
import { type Caller, isMasters } from '../authn/identity.ts';
import type { ApiResource } from '../kube/discovery.ts';
import {
  forbidden,
  methodNotAllowed,
  notFound,
  type ResourceRef,
  resourceNotServed,
  type StatusError,
  toStatusError,
} from '../kube/errors.ts';
import type { Exchange } from '../listener/exchange.ts';
import { stage } from '../observe/trace.ts';
import { refuseEncodedStructure } from '../target/encoded-structure.ts';
import { type RequestInfo, requestInfo } from '../target/request-info.ts';
import { restOf, type Target } from '../target/target.ts';
import { notUpgradable } from '../tunnel/execute-upgrade.ts';
import { type ApiDocuments, serveDocument } from './documents.ts';
import { compilePath, type PathPattern } from './path-pattern.ts';
import type { RequestRecord } from './record.ts';
import type { Call, View } from './view.ts';

/** Takes an authenticated request through resolve → authorize → answer. Never throws: what fails is answered. */
export type ViewHost = (exchange: Exchange, caller: Caller, target: Target, record: RequestRecord) => Promise<void>;

export interface ViewHostOptions {
  readonly views: readonly View[];
  readonly engine: Engine;
  readonly documents: ApiDocuments;
  /** Told of every error that the caller sees only as "could not be handled". */
  readonly onError: (error: StatusError, record: RequestRecord) => void;
}

/**
 * What a path below a view may begin with: what a Kubernetes API server serves. Anything else forwarded to a shard could be another door:
 * `/services/…` there leads to all virtual workspaces, before the shard's authorization, as whoever the request is sent as.
 */
const API_ROOTS = new Set(['', 'api', 'apis', 'openapi', 'version', 'healthz', 'livez', 'readyz']);

/** `AlwaysAllowPaths` of k8s.io/apiserver. */
const HEALTH_PATHS: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz']);

interface Hosted {
  readonly view: View;
  readonly pattern: PathPattern;
}

export function createViewHost({ views, engine, documents, onError }: ViewHostOptions): ViewHost {
  const hosted = new Map<string, Hosted>(views.map(view => [view.name, { view, pattern: compilePath(view.name, view.path) }]));

  async function handle(exchange: Exchange, caller: Caller, target: Target, record: RequestRecord): Promise<void> {
    const entry = hosted.get(target.segments[1] ?? '');
    const matched = entry?.pattern.match(target);
    if (entry === undefined || matched === undefined) throw unresolved(caller, exchange.method, target);
    if (matched === 'incomplete') throw resourceNotServed();
    const { view } = entry;

    const rest = restOf(target, matched.length);
    refuseEncodedStructure(rest);
    if (!API_ROOTS.has(rest.segments[0] ?? '')) throw resourceNotServed();
    const request = requestInfo(exchange.method, rest);
    const scope = view.resolve ? view.resolve(matched.scope, request) : matched.scope;
    if (scope === undefined) throw unresolved(caller, exchange.method, target);
    describe(record, view, scope.cluster, request);

    // An API server answers its health paths before it authorizes: for whoever asks, nothing is looked up, nor is told what there is.
    if (HEALTH_PATHS.has(request.path) && !view.healthIsForwarded?.(scope, request)) throw resourceNotServed();

    const call: Call = Object.freeze({ caller, scope, request, query: rest.query });
    const decision = await stage('authorize', () => view.authorize(call));
    record.because = decision.because;
    if (!decision.allowed) throw forbidden(caller.name, request, decision.told ?? decision.because);

    const notUpgraded = exchange.upgrade && notUpgradable(request, rest.query, exchange.upgrade.protocol);
    if (notUpgraded) throw notUpgraded;

    const apis = await view.apis(scope, request);
    if (apis !== undefined) {
      if (
        !request.isResourceRequest &&
        serveDocument(exchange, documents, apis, request, { aggregated: view.aggregatedDiscovery ?? true })
      )
        return;
      const refusal = request.isResourceRequest ? refusalByApis(apis, request) : resourceNotServedUnlessVersion(request);
      if (refusal) throw refusal;
    }

    const answer = await stage('answer', () => view.answer(call));
    record.because = answer.because;
    await stage('upstream', () => engine.execute(exchange, call, rest, answer));
  }

  return async (exchange, caller, target, record) => {
    try {
      await handle(exchange, caller, target, record);
    } catch (error) {
      const status = toStatusError(error);
      // A client that leaves while its answer is put together is no error of ours.
      if (status.code >= 500 && !exchange.closed) onError(status, record);
      record.because ??= status.message;
      sendStatus(exchange, status);
    }
  };
}

/** kcp's own answer where no view takes the path: masters see that it is not there, others only that they may not. */
export function unresolved(caller: Caller, method: string, target: Target): StatusError {
  if (isMasters(caller)) return resourceNotServed();
  const path = decodeURIComponent(target.rawPath);
  return forbidden(
    caller.name,
    { ...NON_RESOURCE, path, verb: method.toLowerCase() },
    'Path not resolved to a valid virtual workspace',
  );
}

const NON_RESOURCE = { isResourceRequest: false, apiGroup: '', resource: '', subresource: '', namespace: '', name: '' };

/** 404 for what is not served, 405 for a verb that is not. */
export function refusalByApis(apis: readonly ApiResource[], request: RequestInfo): StatusError | undefined {
  const name = request.subresource ? `${request.resource}/${request.subresource}` : request.resource;
  const api = apis.find(a => a.group === request.apiGroup && a.version === request.apiVersion && a.name === name);
  if (api === undefined) return isServed(apis, request) ? notFound(refOf(request), request.name) : resourceNotServed();
  if (api.verbs?.includes(request.verb)) return undefined;
  return methodNotAllowed(refOf(request), request.verb);
}

/** Of a resource that is there an object has not the subresource: API servers say of the object that it is not found. */
const isServed = (apis: readonly ApiResource[], { apiGroup, apiVersion, resource, subresource, name }: RequestInfo): boolean =>
  subresource !== '' &&
  name !== '' &&
  apis.some(api => api.group === apiGroup && api.version === apiVersion && api.name === resource);

const refOf = ({ apiGroup, resource }: RequestInfo): ResourceRef => ({ group: apiGroup, resource });

/** Of the paths outside the API only `/version` is the shard's to answer. */
function resourceNotServedUnlessVersion(request: RequestInfo): StatusError | undefined {
  return request.path === '/version' && request.verb === 'get' ? undefined : resourceNotServed();
}

function describe(record: RequestRecord, view: View, cluster: string | undefined, request: RequestInfo): void {
  record.view = view.name;
  record.verb = request.verb;
  if (cluster !== undefined) record.cluster = cluster;
  if (request.isResourceRequest) {
    record.resource = [request.apiGroup, request.resource, request.subresource].filter(Boolean).join('/');
  }
}
