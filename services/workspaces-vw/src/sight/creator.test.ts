import { describe, expect, test } from '@jest/globals';
import { WARRANT_KEY } from '@kcp-vw/shared/authn/faces.ts';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { CLUSTER_NAME_KEY, SCOPES_KEY } from '@kcp-vw/shared/authn/service-account-name.ts';
import type { Snapshot } from '../index/snapshot.ts';
import { awaitsCreated } from './creator.ts';
import { caller, createdAt, entranceOf, NOON, snapshotOf } from './sight.fixture.ts';
import { viewerOf } from './viewer-of.ts';

const ROBOT = 'system:serviceaccount:default:robot';
const robot = (cluster?: string): Caller => caller(ROBOT, [], cluster === undefined ? {} : { [CLUSTER_NAME_KEY]: [cluster] });
const scoped = (cluster: string): Caller['extra'] => ({ [SCOPES_KEY]: [`cluster:${cluster}`] });
const lending = (warrant: object): Caller['extra'] => ({ [WARRANT_KEY]: [JSON.stringify(warrant)] });

const NEW = new Date(NOON).toISOString();
const created = (creator: Snapshot['creator'], at: string | undefined = NEW): Snapshot =>
  createdAt(at, snapshotOf('parent', 'w', { entrance: entranceOf('', { open: false }), ...(creator && { creator }) }));
const BY_ADA = created({ name: 'ada' });

const isAwaited = (who: Caller, snapshot: Snapshot, mayEnter = (_: string): boolean => true): boolean =>
  awaitsCreated(viewerOf(who), mayEnter, () => NOON)(snapshot);

describe('who waits for a workspace', () => {
  test.each<readonly [what: string, who: Caller, snapshot: Snapshot, expected: boolean]>([
    ['its creator', caller('ada'), BY_ADA, true],
    ['not another', caller('bob'), BY_ADA, false],
    ['nobody where it names none', caller('ada'), created(undefined), false],
    ['its creator in scope', caller('ada', [], scoped('parent')), BY_ADA, true],
    ['not its creator out of scope', caller('ada', [], scoped('other')), BY_ADA, false],
    ['not who is lent its creator', caller('x', [], lending({ user: 'ada' })), BY_ADA, false],
    ['the account that created it', robot('parent'), created({ name: ROBOT, cluster: 'parent' }), true],
    ['not one of the same name', robot('home'), created({ name: ROBOT, cluster: 'parent' }), false],
    ['not an account of unknown origin', robot(), created({ name: ROBOT, cluster: 'parent' }), false],
  ])('%s', (_, who, snapshot, expected) => {
    expect(isAwaited(who, snapshot)).toBe(expected);
  });

  // Whoever may update a workspace may write into it that anybody has created it.
  test('nobody who may not enter its parent', () => {
    const asked: string[] = [];
    const mayEnter = (cluster: string): boolean => {
      asked.push(cluster);
      return false;
    };
    expect(isAwaited(caller('ada'), BY_ADA, mayEnter)).toBe(false);
    expect(asked).toEqual(['parent']);
  });

  test.each([
    ['of this moment', NOON, true],
    ['of nearly ten minutes ago', NOON - 599_000, true],
    ['of ten minutes ago', NOON - 600_000, false],
    ['of soon, by another clock', NOON + 60_000, true],
    ['of a day to come', NOON + 86_400_000, false],
  ])('for one %s: %#', (_, at, expected) => {
    expect(isAwaited(caller('ada'), created({ name: 'ada' }, new Date(at).toISOString()))).toBe(expected);
  });

  test.each([undefined, '', 'yesterday'])('nobody for one that was made who knows when: %j', at => {
    const snapshot = snapshotOf('parent', 'w', { creator: { name: 'ada' } });
    expect(isAwaited(caller('ada'), at === undefined ? snapshot : createdAt(at, snapshot))).toBe(false);
  });
});
