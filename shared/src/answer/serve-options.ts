import { badRequest, type StatusCause, StatusError } from '../kube/errors.ts';
import { METADATA_FIELDS, matchesFields, parseFieldSelector, type SelectableFields } from '../kube/field-selectors.ts';
import { parseInt64 } from '../kube/int64.ts';
import type { KubeObject } from '../kube/objects.ts';
import { matchesLabels, parseLabelSelector } from '../kube/selectors.ts';
import type { RequestInfo } from '../target/request-info.ts';

/** The query of a list or watch (`meta/v1 ListOptions`), checked. */
export interface ListOptions {
  /** Whether the selectors, and the namespace and name of the path, let an object through. */
  readonly matches: (object: KubeObject) => boolean;
  /** True when a selector may leave objects out. */
  readonly selective: boolean;
  /** Items of a page; 0: all. */
  readonly limit: number;
  readonly continue: string;
  /** Decimal; empty for the newest, `0` for any. */
  readonly resourceVersion: string;
  readonly resourceVersionMatch: '' | 'Exact' | 'NotOlderThan';
  readonly sendInitialEvents: boolean | undefined;
  readonly allowWatchBookmarks: boolean;
  /** Undefined or 0: the server decides. */
  readonly timeoutSeconds: number;
}

/**
 * `more` are fields that the resource can be selected by beside those of every one. Throws a StatusError with Kubernetes' text: 400 for what
 * cannot be read, 422 for what does not go together.
 */
export function parseListOptions(request: RequestInfo, query: URLSearchParams, more: SelectableFields = {}): ListOptions {
  const limit = Math.max(0, integer(query, 'limit'));
  const timeoutSeconds = Math.max(0, integer(query, 'timeoutSeconds'));
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fieldText = query.get('fieldSelector') ?? '';
  const fields = parseFieldSelector(fieldText);
  const selectable = { ...METADATA_FIELDS, ...topLevelFields(fields.map(one => one.field)), ...more };
  const resourceVersionMatch = query.get('resourceVersionMatch') ?? '';
  const sendInitialEvents = query.has('sendInitialEvents') ? boolean(query, 'sendInitialEvents') : undefined;
  const options = {
    limit,
    timeoutSeconds,
    continue: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    sendInitialEvents,
    allowWatchBookmarks: boolean(query, 'allowWatchBookmarks'),
  };
  refuseCombinations(request.verb === 'watch', { ...options, resourceVersionMatch });
  parseFieldSelector(fieldText, selectable);
  refuseVersion(options.resourceVersion);

  const namespace = namespaceOf(request);
  return {
    ...options,
    resourceVersionMatch: resourceVersionMatch as ListOptions['resourceVersionMatch'],
    selective: labels.length + fields.length > 0,
    matches: object =>
      (namespace === '' || object.metadata?.namespace === namespace) &&
      (request.name === '' || object.metadata?.name === request.name) &&
      matchesLabels(labels, object.metadata?.labels) &&
      matchesFields(fields, object, selectable),
  };
}

/** The namespace that a request is restricted to; a Namespace itself is in none. */
export const namespaceOf = ({ apiGroup, resource, namespace }: RequestInfo): string =>
  apiGroup === '' && resource === 'namespaces' ? '' : namespace;

const DECIMAL = /^\d+$/;

export function refuseVersion(resourceVersion: string): void {
  if (resourceVersion === '' || DECIMAL.test(resourceVersion)) return;
  const quoted = JSON.stringify(resourceVersion);
  throw badRequest(`resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: invalid syntax`);
}

function integer(query: URLSearchParams, name: string): number {
  const text = query.get(name);
  if (text === null) return 0;
  const value = parseInt64(text);
  if (value === undefined) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(value);
}

/** `Convert_Slice_string_To_bool`: whatever is there is true, but for `0` and `false`. */
function boolean(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

/** Fields without a path, such as an Event's `type`: read where they hold a plain value. */
function topLevelFields(names: readonly string[]): SelectableFields {
  const simple = names.filter(name => /^[A-Za-z]\w*$/.test(name));
  return Object.fromEntries(
    simple.map(name => [
      name,
      (object: KubeObject) => {
        const value = Object.hasOwn(object, name) ? object[name] : undefined;
        return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : '';
      },
    ]),
  );
}

type Combination = Pick<ListOptions, 'resourceVersion' | 'continue' | 'sendInitialEvents'> & { resourceVersionMatch: string };

/** `ValidateListOptions` of k8s.io/apimachinery/pkg/apis/meta/internalversion/validation. */
function refuseCombinations(watching: boolean, options: Combination): void {
  const { resourceVersion, resourceVersionMatch: match, sendInitialEvents } = options;
  const supported = watching ? ['NotOlderThan'] : ['Exact', 'NotOlderThan', ''];
  const causes: StatusCause[] = [];
  const forbid = (field: string, why: string): void => {
    causes.push({ reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field });
  };
  if (watching) {
    if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
      forbid('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
    }
    if (sendInitialEvents === undefined && match !== '') {
      forbid('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
    }
  } else if (match !== '' && resourceVersion === '') {
    forbid('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided');
  }
  if (match !== '' && options.continue !== '') {
    forbid('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided');
  }
  if (match !== '' && !supported.includes(match)) {
    const values = supported.map(value => JSON.stringify(value)).join(', ');
    const message = `Unsupported value: ${JSON.stringify(match)}: supported values: ${values}`;
    causes.push({ reason: 'FieldValueNotSupported', message, field: 'resourceVersionMatch' });
  }
  if (!watching && match === 'Exact' && resourceVersion === '0') {
    forbid('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
  if (!watching && sendInitialEvents !== undefined) forbid('sendInitialEvents', 'sendInitialEvents is forbidden for list');
  if (causes.length === 0) return;

  const rendered = causes.map(({ field, message }) => `${field}: ${message}`);
  const list = rendered.length === 1 ? rendered[0] : `[${rendered.join(', ')}]`;
  throw new StatusError('Invalid', `ListOptions.meta.k8s.io "" is invalid: ${list}`, {
    group: 'meta.k8s.io',
    kind: 'ListOptions',
    causes,
  });
}
