import { HeaderNames, type RawHeaders } from '../listener/headers.ts';

/**
 * Headers of one connection, not of the message (RFC 9110 §7.6.1), and the framing that each hop makes anew. `proxy-*` goes by prefix.
 */
const HOP_BY_HOP = new HeaderNames([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
]);

export const isHopByHop = (lowerCaseName: string): boolean => HOP_BY_HOP.has(lowerCaseName) || lowerCaseName.startsWith('proxy-');

/** What is the upstream's to say, beside what is of one hop. */
const OF_THE_UPSTREAM = new HeaderNames(['host', 'authorization', 'content-length']);

const CONNECTION = new HeaderNames(['connection']);

/** Lower-case names that a `Connection` header declares to be of this hop only. */
export function connectionNominated(headers: RawHeaders): ReadonlySet<string> {
  let nominated: Set<string> | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!CONNECTION.has(headers[i] as string)) continue;
    nominated ??= new Set();
    for (const option of (headers[i + 1] as string).split(',')) nominated.add(option.trim().toLowerCase());
  }
  return nominated ?? NONE;
}

const NONE: ReadonlySet<string> = new Set();

/** A response's headers as a handler gets them: end-to-end ones and content-length, names in lower case. */
export function endToEndResponseHeaders(headers: RawHeaders): string[] {
  const nominated = connectionNominated(headers);
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    if (name.startsWith(':') || isHopByHop(name)) continue;
    // content-length frames the body; a server that nominates it does not get it dropped.
    if (nominated.has(name) && name !== 'content-length') continue;
    kept.push(name, headers[i + 1] as string);
  }
  return kept;
}

/**
 * Headers as undici has parsed them, as a list: those of one name stand together. They are Latin-1, which keeps each byte; to make texts
 * of the bytes once more would be a good part of what an answer costs.
 */
export function listOfHeaders(parsed: Readonly<Record<string, string | readonly string[] | undefined>>): string[] {
  const headers: string[] = [];
  for (const name of Object.keys(parsed)) {
    const value = parsed[name] ?? [];
    if (typeof value === 'string') headers.push(name, value);
    else for (const one of value) headers.push(name, one);
  }
  return headers;
}

/**
 * A request's headers as they go on the wire, names in lower case: without what belongs to the connection or to the upstream, with our
 * credentials. Callers have dropped the client's `Authorization`; should one slip through, it ends here and never beside our own
 * certificate.
 */
export function upstreamRequestHeaders(headers: RawHeaders, bearerToken: string | undefined): string[] {
  const nominated = connectionNominated(headers);
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    if (OF_THE_UPSTREAM.has(name) || name.startsWith(':') || isHopByHop(name) || nominated.has(name)) continue;
    kept.push(name, headers[i + 1] as string);
  }
  if (bearerToken !== undefined) kept.push('authorization', `Bearer ${bearerToken}`);
  return kept;
}
