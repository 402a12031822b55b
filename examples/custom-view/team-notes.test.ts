import { describe, expect, test } from '@jest/globals';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { requestInfo } from '@kcp-vw/shared/target/request-info.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import { teamNotes } from './team-notes.ts';

const member: Caller = { name: 'alice', uid: '', groups: ['team-blue', 'system:authenticated'], extra: {}, method: 'token' };
const stranger: Caller = { ...member, name: 'bob', groups: ['team-bluebird', 'team', 'system:authenticated'] };
const masters: Caller = { ...member, name: 'shard', groups: ['system:masters'] };

function callOf(caller: Caller, path = '/api/v1/configmaps', method = 'GET') {
  const target = parseTarget(path);
  return { caller, scope: { team: 'blue', cluster: 'c1' }, request: requestInfo(method, target), query: target.query };
}

describe('the view of notes for teams', () => {
  test.each([
    ['a member', member, true],
    ['somebody of another team', stranger, false],
    ['masters', masters, true],
  ])('lets in who is of the team: %s', async (_who, caller, allowed) => {
    expect(await teamNotes.authorize(callOf(caller))).toMatchObject({ allowed });
  });

  test.each([
    ['c1', true],
    ['*', false],
    ['root:a:b', false],
  ])('is of one logical cluster: %s', (cluster, isView) => {
    const scope = { team: 'blue', cluster };
    expect(teamNotes.resolve?.(scope, callOf(member).request)).toEqual(isView ? scope : undefined);
  });

  test.each(['/api/v1/configmaps', '/api/v1/namespaces/default/configmaps/maintenance'])(
    'shows what has the label of the team, as the view itself, in lists and one by one: %s',
    async path => {
      const answer = await teamNotes.answer(callOf(member, path));
      expect(answer).toEqual({ kind: 'forward', select: 'team=blue', because: 'notes for the team blue' });
    },
  );

  test('lets nobody write', async () => {
    const apis = await teamNotes.apis(callOf(masters).scope, callOf(masters).request);
    expect(apis?.map(({ name, verbs }) => [name, verbs])).toEqual([['configmaps', ['get', 'list', 'watch']]]);
  });
});
