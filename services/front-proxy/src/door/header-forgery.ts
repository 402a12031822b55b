import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import type { RequestHeaderOptions } from '@kcp-vw/shared/config/options.ts';
import { HeaderNames, type RawHeaders } from '@kcp-vw/shared/listener/headers.ts';

/**
 * Whether a request says who it is from, or in whose name it is to be served, without that it may: only to be counted, since nobody has
 * believed it. `caller` is undefined when the request was refused for its credentials.
 */
export type IsForged = (headers: RawHeaders, caller: Caller | undefined) => boolean;

/** Also with underscores, which some servers take for hyphens. */
const IDENTITY = /^x[-_](?:remote|kcp[-_]vw)[-_]/i;
const IMPERSONATION = /^impersonate[-_]/i;

/** Knows the headers of the hop between front proxy and services, and those that trusted proxies are configured to use. */
export function createForgeryCheck(options: RequestHeaderOptions): IsForged {
  // The usual ones are found by their first letter.
  const unusual = (names: readonly string[]): string[] =>
    names.map(name => name.toLowerCase()).filter(name => name !== '' && !IDENTITY.test(name));
  const own = unusual([...options.usernameHeaders, ...options.groupHeaders, ...options.uidHeaders]);
  const prefixes = unusual(options.extraHeaderPrefixes);
  const names = new HeaderNames(own);
  const hasUnusual = own.length + prefixes.length > 0;
  const isUnusual = (name: string): boolean => names.has(name) || prefixes.some(prefix => name.toLowerCase().startsWith(prefix));

  return (headers, caller) => {
    const mayName = caller?.method === 'request-header';
    const mayImpersonate = caller?.impersonator !== undefined;
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = headers[i] as string;
      // In lower case, an x or an i.
      const first = name.charCodeAt(0) | 0x20;
      if (first === 0x78 && !mayName && IDENTITY.test(name)) return true;
      if (first === 0x69 && !mayImpersonate && IMPERSONATION.test(name)) return true;
      if (hasUnusual && !mayName && isUnusual(name)) return true;
    }
    return false;
  };
}
