import { StatusError } from '../kube/errors.ts';
import { parseFieldSelector, requiredFieldValue } from '../kube/field-selectors.ts';
import { parseInt64 } from '../kube/int64.ts';
import { parseLabelSelector } from '../kube/selectors.ts';
import { decodedPath, hasEncodedSlash, type Target } from './target.ts';

/**
 * What a path asks of a Kubernetes API server (k8s.io/apiserver `RequestInfo`), computed on the path below a view's prefix.
 */
export interface RequestInfo {
  readonly isResourceRequest: boolean;
  /** The decoded path this was computed from. */
  readonly path: string;
  /** get, list, watch, create, update, patch, delete, deletecollection; for a non-resource path the lower-case HTTP method. */
  readonly verb: string;
  readonly apiPrefix: string;
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** Segments from the resource on: resource, name, subresource, … */
  readonly parts: readonly string[];
}

/** Verb of a resource request by HTTP method; of any other method it is empty, and so allowed to nobody by name. */
const VERBS: ReadonlyMap<string, string> = new Map([
  ['POST', 'create'],
  ['GET', 'get'],
  ['HEAD', 'get'],
  ['PUT', 'update'],
  ['PATCH', 'patch'],
  ['DELETE', 'delete'],
]);
const GROUPLESS_PREFIX = 'api';
const PREFIXES: ReadonlySet<string> = new Set([GROUPLESS_PREFIX, 'apis']);
/** Deprecated verbs in the path: `/api/v1/watch/pods`. */
const SPECIAL_VERBS: ReadonlySet<string> = new Set(['proxy', 'watch']);
const SPECIAL_VERBS_WITHOUT_SUBRESOURCES: ReadonlySet<string> = new Set(['proxy']);
/** After `/namespaces/<name>/` these are subresources of the namespace, everything else is a resource in it. */
const NAMESPACE_SUBRESOURCES: ReadonlySet<string> = new Set(['status', 'finalize']);

/**
 * Reads a request as `RequestInfoFactory.NewRequestInfo` of k8s.io/apiserver does with the prefixes `api` and `apis`.
 *
 * An encoded slash separates here too: a Go server splits the decoded path, and what we authorize must be what it will do.
 * Where Go has an error (`/api/v1/watch`, which it answers with 500) the result is a resource request without a resource.
 */
export function requestInfo(method: string, target: Target): RequestInfo {
  const { segments, query } = target;
  const all = segments.some(hasEncodedSlash) ? segments.flatMap(segment => segment.split('/')) : segments;
  const path = decodedPath(target);
  const nonResource = (known: Partial<RequestInfo>): RequestInfo =>
    Object.freeze({ ...NOTHING, path, verb: method.toLowerCase(), ...known });

  const [apiPrefix = '', second = ''] = all;
  if (all.length < 3 || !PREFIXES.has(apiPrefix)) return nonResource({});
  const isGroupless = apiPrefix === GROUPLESS_PREFIX;
  if (!isGroupless && all.length < 4) return nonResource({ apiPrefix });
  const apiGroup = isGroupless ? '' : second;
  let at = isGroupless ? 1 : 2;
  const apiVersion = all[at] ?? '';
  at += 1;

  const special = SPECIAL_VERBS.has(all[at] ?? '') ? all[at] : undefined;
  if (special !== undefined) {
    if (all.length - at < 2) return nonResource({ apiPrefix, apiGroup, apiVersion, isResourceRequest: true });
    at += 1;
  }

  let namespace = '';
  if (all[at] === 'namespaces') {
    namespace = all[at + 1] ?? '';
    const inside = all[at + 2];
    if (inside !== undefined && !NAMESPACE_SUBRESOURCES.has(inside)) at += 2;
  }
  let verb = special ?? VERBS.get(method) ?? '';
  let name = all[at + 1] ?? '';
  const subresource = SPECIAL_VERBS_WITHOUT_SUBRESOURCES.has(verb) ? '' : (all[at + 2] ?? '');
  if (name === '' && verb === 'get') {
    verb = isWatch(query) ? 'watch' : 'list';
    name = selectedName(query);
  }
  if (name === '' && verb === 'delete') verb = 'deletecollection';
  return Object.freeze({
    isResourceRequest: true,
    path,
    verb,
    apiPrefix,
    apiGroup,
    apiVersion,
    namespace,
    resource: all[at] ?? '',
    subresource,
    name,
    parts: all.slice(at),
  });
}

const NOTHING: RequestInfo = {
  isResourceRequest: false,
  path: '',
  verb: '',
  apiPrefix: '',
  apiGroup: '',
  apiVersion: '',
  namespace: '',
  resource: '',
  subresource: '',
  name: '',
  parts: [],
};

/**
 * Whether the query asks for a watch, as the API server reads it (`Convert_Slice_string_To_bool`): every first value is true, the empty one
 * too, but `0` and `false` in any case (Go's `EqualFold`).
 */
export function isWatch(query: URLSearchParams): boolean {
  const value = query.get('watch');
  return value !== null && value !== '0' && !/^false$/iu.test(value);
}

/**
 * The name that a list or watch is restricted to by `fieldSelector=metadata.name=x`, so that RBAC's resourceNames apply; else empty.
 * ListOptions that do not decode leave it empty, as in the API server: whoever answers the list refuses them with 400.
 */
function selectedName(query: URLSearchParams): string {
  const fieldSelector = query.get('fieldSelector');
  if (fieldSelector === null) return '';
  if (['timeoutSeconds', 'limit'].some(name => query.has(name) && parseInt64(query.get(name) ?? '') === undefined)) return '';
  try {
    parseLabelSelector(query.get('labelSelector') ?? '');
    const name = requiredFieldValue(parseFieldSelector(fieldSelector), 'metadata.name') ?? '';
    return isPathSegmentName(name) ? name : '';
  } catch (error) {
    if (error instanceof StatusError) return '';
    throw error;
  }
}

const isPathSegmentName = (name: string): boolean => name !== '.' && name !== '..' && !/[/%]/.test(name);
