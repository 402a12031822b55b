import { badRequest } from '../kube/errors.ts';
import { formatLabelSelector, parseLabelSelector } from '../kube/selectors.ts';

/**
 * A request target, split but not interpreted: every byte that is sent on is a byte that was received.
 *
 * `segments` are percent-decoded for decisions only; `rawSegments` are what is forwarded. Frozen; changing `query` throws. The lists are
 * nobody's to change: frozen ones would take several times as long to read.
 */
export interface Target {
  /** Path without query, as received. Starts with `/`, and ends with one where the client's did. */
  readonly rawPath: string;
  /** Without the `?`; empty when there is none. */
  readonly rawQuery: string;
  /** Never empty strings: a trailing slash is in `rawPath` only. */
  readonly rawSegments: readonly string[];
  /** As many as `rawSegments`. One may contain `/` (`hasEncodedSlash`), but no empty, `.` or `..` part. */
  readonly segments: readonly string[];
  /** Decoded query parameters, in order. */
  readonly query: URLSearchParams;
}

class ReadonlyQuery extends URLSearchParams {
  override append(): never {
    throw new TypeError('the query of a target does not change');
  }
  override delete(): never {
    return this.append();
  }
  override set(): never {
    return this.append();
  }
  override sort(): never {
    return this.append();
  }
}

const refuse = (why: string): Error => badRequest(`the request target is not accepted: ${why}`);

const DOTS = "it has a segment '.' or '..'";

function refuseDots(): never {
  throw refuse(DOTS);
}

/** What a path may not hold after one decoding. Each is a way to make two servers read one path differently. */
const FORBIDDEN_IN_SEGMENT: readonly { readonly pattern: RegExp; readonly why: string }[] = [
  { pattern: /\\/, why: 'it holds a backslash' },
  { pattern: /\p{Cc}/u, why: 'it holds a control character' },
  // No Kubernetes name may contain a percent sign (IsPathSegmentName), so only a second decoding can be meant.
  { pattern: /%(?:2e|2f|5c|25|00)/i, why: 'it is encoded twice' },
  { pattern: /^\/|\/\/|\/$/, why: 'it has an empty segment' },
  { pattern: /(?:^|\/)\.\.?(?:\/|$)/, why: DOTS },
];

/**
 * Splits a request target in origin form (RFC 9112 §3.2.1). Nothing is normalised: what other servers on the way might read
 * differently is refused with a StatusError 400.
 */
export function parseTarget(url: string): Target {
  if (!url.startsWith('/')) throw refuse('it does not start with /');
  if (!/^[\x21-\x7e]*$/.test(url)) throw refuse('it holds characters that must be percent-encoded');
  if (url.includes('#')) throw refuse('it has a fragment');
  const mark = url.indexOf('?');
  const rawPath = mark < 0 ? url : url.slice(0, mark);
  const rawQuery = mark < 0 ? '' : url.slice(mark + 1);
  const rawSegments = splitPath(rawPath);
  // Most paths have nothing that could be decoded: one list is both then.
  const segments = ENCODED.test(rawPath) ? rawSegments.map(decodeSegment) : withoutDots(rawSegments);
  return freeze(rawPath, rawQuery, rawSegments, segments, parseQuery(rawQuery));
}

/** Visible ASCII without these decodes to itself, and of what is forbidden holds dots only. */
const ENCODED = /[%\\]/;

function withoutDots(segments: string[]): string[] {
  for (const segment of segments) if (segment === '.' || segment === '..') refuseDots();
  return segments;
}

function freeze(
  rawPath: string,
  rawQuery: string,
  rawSegments: readonly string[],
  segments: readonly string[],
  query: URLSearchParams,
): Target {
  return Object.freeze({ rawPath, rawQuery, rawSegments, segments, query });
}

function splitPath(rawPath: string): string[] {
  if (rawPath === '/') return [];
  if (rawPath.includes('//')) throw refuse('it has an empty segment');
  return rawPath.slice(1, rawPath.endsWith('/') ? -1 : undefined).split('/');
}

function decodeSegment(raw: string): string {
  const segment = decode(raw);
  for (const { pattern, why } of FORBIDDEN_IN_SEGMENT) if (pattern.test(segment)) throw refuse(why);
  return segment;
}

function decode(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    // URIError has nothing to add: the escape is incomplete, or its bytes are not UTF-8.
    throw refuse('a percent escape is malformed or not UTF-8');
  }
}

/** Most requests have no query, and nobody can change this one. */
const NO_QUERY = new ReadonlyQuery();

const decodeParameter = (raw: string): string => decode(raw.replaceAll('+', ' '));

/** The `name=value` pieces between the ampersands; empty pieces are none, as in every parser of queries. */
function parseQuery(rawQuery: string): URLSearchParams {
  if (rawQuery === '') return NO_QUERY;
  // Go's net/url drops a piece with a semicolon, older parsers split at it: on the shard it would be another request than here.
  if (rawQuery.includes(';')) throw refuse('its query holds a semicolon that is not percent-encoded');
  const pairs = rawQuery.split('&').filter(Boolean).map(splitParameter);
  if (pairs.some(([name, value]) => name.includes('\0') || value.includes('\0'))) throw refuse('its query holds a NUL character');
  return new ReadonlyQuery(pairs);
}

function splitParameter(piece: string): [name: string, value: string] {
  const equals = piece.indexOf('=');
  return equals < 0
    ? [decodeParameter(piece), '']
    : [decodeParameter(piece.slice(0, equals)), decodeParameter(piece.slice(equals + 1))];
}

/**
 * Whether a decoded segment was sent with `%2F` in it. A Go server behind us splits there (it routes by the decoded path), so it is no
 * service, view or cluster; `requestInfo` reads the path as that server will.
 */
export const hasEncodedSlash = (segment: string): boolean => segment.includes('/');

/** The path with every segment decoded, as Go's `URL.Path`: what authorization and messages name. */
export function decodedPath(target: Target): string {
  if (target.segments === target.rawSegments) return target.rawPath;
  const end = target.segments.length > 0 && target.rawPath.endsWith('/') ? '/' : '';
  return `/${target.segments.join('/')}${end}`;
}

/** Path and query as they go on the wire. */
export const urlOf = ({ rawPath, rawQuery }: Pick<Target, 'rawPath' | 'rawQuery'>): string =>
  rawQuery === '' ? rawPath : `${rawPath}?${rawQuery}`;

/**
 * The target below a prefix of that many segments, raw bytes and query kept; its path is `/` when nothing is left.
 * Throws a RangeError when the target has fewer segments.
 */
export function restOf(target: Target, skipSegments: number): Target {
  if (!Number.isInteger(skipSegments) || skipSegments < 0 || skipSegments > target.segments.length) {
    throw new RangeError(`a target of ${target.segments.length} segments has no rest after ${skipSegments}`);
  }
  const rawSegments = target.rawSegments.slice(skipSegments);
  const segments = target.segments === target.rawSegments ? rawSegments : target.segments.slice(skipSegments);
  // Nothing is empty between two slashes, so what is skipped is as long as its segments with a slash before each.
  let skipped = 0;
  for (let i = 0; i < skipSegments; i++) skipped += 1 + (target.rawSegments[i] as string).length;
  const rawPath = target.rawPath.slice(skipped) || '/';
  return freeze(rawPath, target.rawQuery, rawSegments, segments, target.query);
}

/**
 * The query with one parameter set to `value`, or removed when that is undefined: it takes the place of the first with its name, or
 * the end; further ones go. All other parameters keep their bytes and order.
 */
export function withParameter(rawQuery: string, name: string, value: string | undefined): string {
  const parameter = value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`];
  const pieces = rawQuery === '' ? [] : rawQuery.split('&');
  const isNamed = (piece: string): boolean => piece !== '' && splitParameter(piece)[0] === name;
  const first = pieces.findIndex(isNamed);
  if (first < 0) return [...pieces, ...parameter].join('&');
  return pieces.flatMap((piece, i) => (i === first ? parameter : isNamed(piece) ? [] : [piece])).join('&');
}

/**
 * The query with the requirements of `select` (`a=b,!c`; empty: none) added to the caller's label selector. Throws a StatusError 400
 * when the caller's does not parse.
 *
 * Of several `labelSelector` parameters the first counts, as in the API server (`Convert_Slice_string_To_string`). The caller's is
 * parsed and printed anew, never pasted: text that this parser and the shard's would read differently cannot weaken `select`.
 */
export function andLabelSelector(rawQuery: string, select: string): string {
  if (select === '') return rawQuery;
  const callers = formatLabelSelector(parseLabelSelector(parseQuery(rawQuery).get('labelSelector') ?? ''));
  return withParameter(rawQuery, 'labelSelector', callers === '' ? select : `${select},${callers}`);
}
