/** How soon a change of permissions counts in the views of waiting workspaces: what was decided is remembered for a while. */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { masters, user } from '../support/identities.ts';
import { lifecycles } from '../support/lifecycle.ts';
import { Scenario } from '../support/scenario.ts';
import { deviationTest } from '../support/suite.ts';
import { listClusters } from '../support/views.ts';
import { admit, grant, LOGICAL_CLUSTERS } from '../support/workspaces.ts';

/** Longer than a denial may be remembered (5 s), plus the time a shard's informers need for new roles. */
const GRANT_TAKES_EFFECT = 15_000;

/** Longer than a permission may be remembered. */
const REVOCATION_TAKES_EFFECT = 60_000;

describe.each(lifecycles)('access to $view', lifecycle => {
  let scenario: Scenario;

  beforeAll(async () => {
    scenario = await Scenario.create(lifecycle);
    await admit(scenario.type.parent, 'user-1');
  });

  test('opens for a user on every part, seconds after the verb was granted, although it was just denied', async () => {
    (await scenario.wildcard(user(1)).get('')).expect(403);
    await grant(scenario.type, 'user-1', lifecycle.verb);
    await eventually('access', async () => (await scenario.wildcard(user(1)).get('')).expect(200), GRANT_TAKES_EFFECT);
    expect(await listClusters(scenario.view(user(1)))).toEqual(await listClusters(scenario.view(masters)));
    const watch = await scenario.wildcard(user(1)).watch('');
    await watch.until('the workspace', ({ type, object }) => type === 'ADDED' && object.metadata?.name === 'cluster');
    (await scenario.single(user(1)).get('')).expect(200);
    (await scenario.content(user(1)).get('/api/v1/namespaces')).expect(200);
  });

  test('to one type gives none to another, and the verb of one lifecycle gives none to the other', async () => {
    const other = await Scenario.create(lifecycle, undefined, scenario.type.parent);
    await admit(scenario.type.parent, 'user-4');
    await grant(scenario.type, 'user-4', lifecycle.verb);
    await grant(other.type, 'user-4', lifecycle.verb === 'initialize' ? 'terminate' : 'initialize');
    await eventually('access', async () => (await scenario.wildcard(user(4)).get('')).expect(200), GRANT_TAKES_EFFECT);
    (await other.wildcard(user(4)).get('')).expect(403);
    (await other.content(user(4)).get('/api/v1/namespaces')).expect(403);
  });

  test('needs access to the workspace of the type besides the verb', async () => {
    await grant(scenario.type, 'user-5', lifecycle.verb);
    const { cluster, type } = scenario;
    // Long enough for a remembered denial to be forgotten.
    await sleep(6_000);
    (await scenario.wildcard(user(5)).get('')).expect(403);
    (await scenario.view(user(5)).get(`/clusters/${cluster}${LOGICAL_CLUSTERS}/cluster`)).expect(403);
    await admit(type.parent, 'user-5');
    await eventually('access', async () => (await scenario.wildcard(user(5)).get('')).expect(200), GRANT_TAKES_EFFECT);
  });

  // kcp's Go server remembers a permission for five minutes.
  deviationTest('ends within a minute after the permission was revoked', async () => {
    const brief = await Scenario.create(lifecycle, undefined, scenario.type.parent);
    await admit(scenario.type.parent, 'user-2');
    const revoke = await grant(brief.type, 'user-2', lifecycle.verb);
    await eventually(
      'access',
      async () => (await brief.content(user(2)).get('/api/v1/namespaces')).expect(200),
      GRANT_TAKES_EFFECT,
    );
    await revoke();
    await eventually(
      'the refusal',
      async () => (await brief.content(user(2)).get('/api/v1/namespaces')).expect(403),
      REVOCATION_TAKES_EFFECT,
    );
    await eventually('the refusal', async () => (await brief.wildcard(user(2)).get('')).expect(403), REVOCATION_TAKES_EFFECT);
    await eventually('the refusal', async () => (await brief.single(user(2)).get('')).expect(403), REVOCATION_TAKES_EFFECT);
  });
});
