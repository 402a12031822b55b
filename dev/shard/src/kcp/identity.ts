import { type Identity, withSystemGroup } from '@kcp-vw/shared/authn/identity.ts';
import { compact, type RecordedUser } from './objects.ts';

/**
 * An identity as a shard holds it. The `identity()` of the fleet drops lifecycle groups, which a shard must believe when its masters
 * impersonate them; so it is not used here.
 */
export function shardIdentity(
  name: string,
  groups: readonly string[],
  uid = '',
  extra: Readonly<Record<string, readonly string[]>> = {},
): Identity {
  return Object.freeze({
    name,
    uid,
    groups: Object.freeze([...withSystemGroup(name, groups)]),
    extra: Object.freeze({ ...extra }),
  });
}

/** The identity as objects record it; Go leaves out what is empty. */
export function recordedUser({ name, uid, groups, extra }: Identity): RecordedUser {
  const fields = {
    username: name,
    ...(uid !== '' && { uid }),
    ...(groups.length > 0 && { groups }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
  return compact(fields);
}
