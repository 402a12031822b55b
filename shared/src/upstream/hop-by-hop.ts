import type { RawHeaders } from '../listener/headers.ts';

/**
 * Headers of one connection, not of the message (RFC 9110 §7.6.1), and the framing that each hop makes anew. `proxy-*` goes by prefix.
 */
const HOP_BY_HOP = new Set([
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

/** Lower-case names that a `Connection` header declares to be of this hop only. */
export function connectionNominated(headers: RawHeaders): ReadonlySet<string> {
  let nominated: Set<string> | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() !== 'connection') continue;
    nominated ??= new Set();
    for (const option of (headers[i + 1] ?? '').split(',')) nominated.add(option.trim().toLowerCase());
  }
  return nominated ?? NONE;
}

const NONE: ReadonlySet<string> = new Set();

/** A response's headers as a handler gets them: end-to-end ones and content-length, names in lower case. */
export function endToEndResponseHeaders(raw: readonly (string | Buffer)[]): string[] {
  // Latin-1 both ways: a header is bytes, and this keeps each of them.
  const headers = raw.map(part => (typeof part === 'string' ? part : part.toString('latin1')));
  const nominated = connectionNominated(headers);
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]?.toLowerCase() ?? '';
    if (name.startsWith(':') || isHopByHop(name)) continue;
    // content-length frames the body; a server that nominates it does not get it dropped.
    if (nominated.has(name) && name !== 'content-length') continue;
    kept.push(name, headers[i + 1] ?? '');
  }
  return kept;
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
    const name = headers[i]?.toLowerCase() ?? '';
    if (name === 'host' || name === 'authorization' || name === 'content-length') continue;
    if (name.startsWith(':') || isHopByHop(name) || nominated.has(name)) continue;
    kept.push(name, headers[i + 1] ?? '');
  }
  if (bearerToken !== undefined) kept.push('authorization', `Bearer ${bearerToken}`);
  return kept;
}
