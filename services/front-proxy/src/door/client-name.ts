import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { ANONYMOUS, type Caller, isMasters } from '@kcp-vw/shared/authn/identity.ts';
import { perObject } from '@kcp-vw/shared/authn/per-object.ts';
import { CLUSTER_NAME_KEY, SERVICE_ACCOUNT_PREFIX } from '@kcp-vw/shared/authn/service-account-name.ts';

/** A name that is longer is kept as its hash: it is the client's choice, up to the limit of a request's headers. */
const MAX_KEPT = 256;

/**
 * What a client is known by where limits are counted: as the shard would know the caller. Service accounts of different logical clusters
 * are different callers of the same name; whoever has no name is told apart by address. Undefined: masters, who have no limits. An
 * impersonated caller counts as itself.
 */
export function clientName(caller: Caller, address: string): string | undefined {
  const name = nameOf(caller);
  return name === ANONYMOUS ? `${APART}${networkOf(address)}` : name;
}

/** What all service accounts of the caller's logical cluster are known by; undefined for whoever is none of them. */
export const accountsName = (caller: Caller): string | undefined => {
  if (!caller.name.startsWith(SERVICE_ACCOUNT_PREFIX)) return undefined;
  const clusters = caller.extra[CLUSTER_NAME_KEY];
  return clusters && kept(clusters.join(','));
};

/** Is in no name that an authenticator lets through, so that none is taken for something else. */
const APART = '\0';

/** Kept for as long as a caller is: those of a connection's certificate or a token have many requests. */
const nameOf = perObject((caller: Caller): string | undefined => {
  if (isMasters(caller)) return undefined;
  const { name, extra } = caller;
  const clusters = name.startsWith(SERVICE_ACCOUNT_PREFIX) ? extra[CLUSTER_NAME_KEY] : undefined;
  const full = clusters === undefined ? name : `${name}${APART}${clusters.join(',')}`;
  return kept(full);
});

const kept = (name: string): string =>
  name.length <= MAX_KEPT ? name : `${APART}${createHash('sha256').update(name).digest('hex')}`;

/** An IPv4 address, or the first 64 bits of an IPv6 one: a single machine has all of the others to choose from. */
export function networkOf(address: string): string {
  const [plain = ''] = address.split('%', 1);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (isIP(plain) !== 6) return plain;
  const [before = '', after] = plain.toLowerCase().split('::');
  const groups = before === '' ? [] : before.split(':');
  const behind = after === undefined || after === '' ? [] : after.split(':');
  // An IPv4 address at the end stands for two groups.
  const length = groups.length + behind.length + (plain.includes('.') ? 1 : 0);
  const whole = after === undefined ? groups : [...groups, ...Array<string>(8 - length).fill('0'), ...behind];
  const prefix = whole.slice(0, 4).map(group => Number.parseInt(group, 16).toString(16));
  return `${prefix.join(':')}::/64`;
}
