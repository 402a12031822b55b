import { GROUP_AUTHENTICATED, GROUP_MASTERS, type Identity, identity } from '../authn/identity.ts';
import { CLUSTER_NAME_KEY, SCOPES_KEY } from '../authn/service-account-name.ts';

/**
 * Where a service tells whom it takes a request to be from. Only the front proxy's own requests get there: what clients ask for is passed on
 * with the path they gave, which has to begin with `/services/`, and a service takes requests from the front proxy alone.
 */
export const SELF_TEST_PATH = '/self-test';

/** Of a shard; `system:admin` is on every one of them. */
export const REVIEW_PATH = '/clusters/system:admin/apis/authentication.k8s.io/v1/selfsubjectreviews';

const ODD_KEY = 'self-test.kcp.io/Odd:Key with % and ü';

/**
 * Nobody: a service account of a logical cluster that there is not, with what gets lost first on the way. A missing cluster name makes an
 * account a local one everywhere, a second value makes it local twice; names of extra keys are lower-cased and decoded by recipients;
 * a group may hold a comma. Masters, since nobody else may create a review in `system:admin`; no other request is ever made as the probe.
 */
export const PROBE: Identity = identity(
  'system:serviceaccount:self-test:probe',
  [GROUP_MASTERS, 'system:serviceaccounts', 'self-test: commas, "quotes" and ü', GROUP_AUTHENTICATED],
  'self-test-uid',
  { [CLUSTER_NAME_KEY]: ['selftest'], [ODD_KEY]: ['a first, with 100% of ü; = "odd" ones', 'and a second'] },
);

/**
 * What of an identity is not as it was sent, as a sentence's end; undefined when all of it has arrived. A shard may say besides that the user
 * is authenticated, and to which logical cluster an impersonated one is kept.
 */
export function differenceFrom(sent: Identity, seen: Identity): string | undefined {
  if (seen.name !== sent.name) return `the user is ${JSON.stringify(seen.name)} instead of ${JSON.stringify(sent.name)}`;
  if (seen.uid !== sent.uid) return `the UID is ${JSON.stringify(seen.uid)} instead of ${JSON.stringify(sent.uid)}`;
  const groups = differenceOf(sent.groups, seen.groups, group => group === GROUP_AUTHENTICATED);
  if (groups !== undefined) return `of the groups ${groups}`;
  for (const key of new Set([...Object.keys(sent.extra), ...Object.keys(seen.extra)])) {
    const mayBeAdded = (value: string): boolean => key === SCOPES_KEY && value.startsWith('cluster:');
    const values = differenceOf(valuesOf(sent, key), valuesOf(seen, key), mayBeAdded);
    if (values !== undefined) return `of the extra ${JSON.stringify(key)} ${values}`;
  }
  return undefined;
}

const valuesOf = ({ extra }: Identity, key: string): readonly string[] => (Object.hasOwn(extra, key) ? (extra[key] ?? []) : []);

function differenceOf(
  sent: readonly string[],
  seen: readonly string[],
  mayBeAdded: (value: string) => boolean,
): string | undefined {
  const added = [...seen];
  for (const value of sent) {
    const index = added.indexOf(value);
    if (index < 0) return `${JSON.stringify(value)} is missing`;
    added.splice(index, 1);
  }
  const unexpected = added.find(value => !mayBeAdded(value));
  return unexpected === undefined ? undefined : `${JSON.stringify(unexpected)} has been added`;
}
