import { globalServiceAccount, isServiceAccount, parseWarrant } from '@kcp-vw/shared/authn/effective-users.ts';
import { WARRANT_KEY } from '@kcp-vw/shared/authn/faces.ts';
import { ANONYMOUS, GROUP_AUTHENTICATED, GROUP_UNAUTHENTICATED, type Identity } from '@kcp-vw/shared/authn/identity.ts';

/**
 * The user as roles of maximal permission policies name him: the prefix before his name, that of a service account being its global one,
 * and before those of his groups and warrants. A service account of no certain logical cluster is only somebody authenticated.
 */
export function prefixUser(who: Identity, prefix: string): Identity {
  const { [WARRANT_KEY]: warrants = [], ...extra } = who.extra;
  const global = globalServiceAccount(who);
  if (isServiceAccount(who) && global === undefined) {
    const group = who.groups.includes(GROUP_AUTHENTICATED) ? GROUP_AUTHENTICATED : GROUP_UNAUTHENTICATED;
    return { name: prefix + ANONYMOUS, uid: '', groups: [prefix + group], extra: {} };
  }
  const prefixed = warrants.flatMap(text => {
    const warrant = parseWarrant(text);
    if (warrant === undefined) return [];
    const { name, ...rest } = prefixUser(warrant, prefix);
    return [JSON.stringify({ user: name, ...rest })];
  });
  return {
    name: prefix + (global ?? who).name,
    uid: who.uid,
    groups: who.groups.map(group => prefix + group),
    extra: { ...extra, ...(prefixed.length > 0 && { [WARRANT_KEY]: prefixed }) },
  };
}
