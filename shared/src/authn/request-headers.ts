import type { RequestHeaderOptions } from '../config/options.ts';
import { internalError, unauthorized } from '../kube/errors.ts';
import { headerValues, type RawHeaders } from '../listener/headers.ts';
import { extraHeaders, readExtraHeaders } from './extra-headers.ts';
import { decodeHeaderText, encodeHeaderText } from './header-text.ts';
import { asCaller, type Caller, type Identity, identity } from './identity.ts';
import { perObject } from './per-object.ts';
import { fromUserInfo, toUserInfo } from './user-info.ts';

/**
 * Reads the user that a trusted proxy vouches for (Kubernetes' request-header authentication). Undefined when it names none.
 * The caller has made sure that the peer may speak for others.
 */
export function createRequestHeaderReader(options: RequestHeaderOptions): (headers: RawHeaders) => Identity | undefined {
  const lower = (names: readonly string[]): string[] => names.map(name => name.toLowerCase()).filter(name => name !== '');
  const usernameHeaders = lower(options.usernameHeaders);
  const groupHeaders = lower(options.groupHeaders);
  const uidHeaders = lower(options.uidHeaders);
  const extraHeaderPrefixes = lower(options.extraHeaderPrefixes);

  return headers => {
    const name = firstOf(headers, usernameHeaders);
    if (name === '') return undefined;
    const groups = groupHeaders
      .flatMap(header => headerValues(headers, header).map(value => decodeHeaderText(value, header)))
      .filter(group => group !== '');
    return identity(name, groups, firstOf(headers, uidHeaders), readExtraHeaders(headers, extraHeaderPrefixes));
  };
}

/** The value of the first of these headers that has one. */
function firstOf(headers: RawHeaders, names: readonly string[]): string {
  for (const name of names) {
    const values = headerValues(headers, name);
    // A proxy that adds its header to a forged one instead of replacing it: Kubernetes would believe the forged one, which is first.
    if (values.length > 1) throw unauthorized();
    const [value = ''] = values;
    if (value !== '') return decodeHeaderText(value, name);
  }
  return '';
}

/**
 * The identity between the front proxy and the services: Kubernetes' `X-Remote-*`, and two headers of our own for what
 * those cannot say. The services' sockets are open to the front proxy only, so what stands here is the truth.
 */
const METHOD_HEADER = 'X-Kcp-Vw-Authenticated-By';
const IMPERSONATOR_HEADER = 'X-Kcp-Vw-Impersonator';

const METHODS: readonly string[] = [
  'certificate',
  'request-header',
  'token',
  'anonymous',
  'front-proxy',
] satisfies Caller['method'][];
const isMethod = (text: string): text is Caller['method'] => METHODS.includes(text);

/**
 * The headers that stand for an identity, and for a caller also for how it was authenticated and by whom it is impersonated. Throws
 * a StatusError 401 when a part of it would not arrive as it is, and for a user without a name, who would arrive as nobody.
 */
export const remoteHeaders: (who: Identity | Caller) => readonly string[] = perObject(headersOf);

function headersOf(who: Identity | Caller): readonly string[] {
  if (who.name === '') throw unauthorized();
  const headers = ['X-Remote-User', encodeHeaderText(who.name, 'the user name')];
  if (who.uid) headers.push('X-Remote-Uid', encodeHeaderText(who.uid, 'the UID of the user'));
  for (const group of who.groups) headers.push('X-Remote-Group', encodeHeaderText(group, 'a group of the user'));
  headers.push(...extraHeaders('X-Remote-Extra-', who));
  if ('method' in who) headers.push(METHOD_HEADER, who.method);
  if ('impersonator' in who && who.impersonator) headers.push(IMPERSONATOR_HEADER, pack(who.impersonator));
  return Object.freeze(headers);
}

/**
 * The caller that the front proxy stamped on a request. Throws a StatusError 500 when there is none or it is malformed: a request
 * that did not come through the front proxy's stamp is never served, not even as anonymous.
 */
export function callerFromFrontProxy(headers: RawHeaders): Caller {
  const name = single(headers, 'X-Remote-User');
  if (!name) throw internalError('the request carries no identity; services take requests from the front proxy only');
  const method = single(headers, METHOD_HEADER) ?? 'front-proxy';
  if (!isMethod(method)) throw internalError(`${METHOD_HEADER} has an unknown value`);
  const groups = headerValues(headers, 'x-remote-group').map(group => decodeHeaderText(group, 'X-Remote-Group'));
  const extra = readExtraHeaders(headers, ['x-remote-extra-']);
  const packed = single(headers, IMPERSONATOR_HEADER);
  return asCaller(
    identity(name, groups, single(headers, 'X-Remote-Uid') ?? '', extra),
    method,
    packed === undefined ? undefined : unpack(packed),
  );
}

/** Callers remembered, each a kilobyte or so; the one that was first seen goes first. */
const MAX_REMEMBERED = 1_024;

/**
 * `callerFromFrontProxy` that reads the same headers once: a caller's requests are stamped alike. All that stands for an identity is in
 * the key, in the bytes that came.
 */
export function createCallerReader(): (headers: RawHeaders) => Caller {
  const known = new Map<string, Caller>();
  return headers => {
    const key = stampOf(headers);
    let caller = known.get(key);
    if (caller === undefined) {
      caller = callerFromFrontProxy(headers);
      for (const oldest of known.keys()) {
        if (known.size < MAX_REMEMBERED) break;
        known.delete(oldest);
      }
      known.set(key, caller);
    }
    return caller;
  };
}

const STAMPED = /^x-(?:remote|kcp-vw)-/i;

/** The headers of the stamp, names and values as they came. A header holds no NUL. */
function stampOf(headers: RawHeaders): string {
  let stamp = '';
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    // Most names do not begin with an x (0x78), which is seen without a search.
    if ((name.charCodeAt(0) | 0x20) === 0x78 && STAMPED.test(name)) stamp += `${name}\0${headers[i + 1]}\0`;
  }
  return stamp;
}

/** The only value, or undefined without one. Two mean that a client's own header came through beside the stamp. */
function single(headers: RawHeaders, header: string): string | undefined {
  const values = headerValues(headers, header.toLowerCase());
  if (values.length > 1) throw internalError(`${header} came ${values.length} times`);
  const [value] = values;
  return value === undefined ? undefined : decodeHeaderText(value, header);
}

/** An impersonator never becomes a user again, it is only named in logs and audit: it may be opaque. */
const pack = (who: Identity): string => Buffer.from(JSON.stringify(toUserInfo(who))).toString('base64url');

function unpack(packed: string): Identity {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(packed, 'base64url').toString());
  } catch (cause) {
    throw internalError(`${IMPERSONATOR_HEADER} is malformed`, cause);
  }
  const impersonator = fromUserInfo(value);
  if (!impersonator?.name) throw internalError(`${IMPERSONATOR_HEADER} holds no user`);
  return impersonator;
}
