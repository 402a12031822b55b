/**
 * The front proxy where kcp-front-proxy stands: it checks tokens of service accounts itself, with the shards' key, and asks the shard that owns an
 * account whether it is still there. What only shards may say of somebody, nobody says here.
 */
import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { RegisteredFleet } from '../harness/registered-fleet.ts';
import type { Client, Credentials } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { bindExport, type CreatedExport, createExport, grantContent } from '../support/exports.ts';
import { certified, masters, target, user } from '../support/identities.ts';
import { type CreatedServiceAccount, createServiceAccount } from '../support/service-accounts.ts';
import { admit, createParent, uniqueSuffix } from '../support/workspaces.ts';

const GROUP = `e2e-${uniqueSuffix()}.dev`;
const DOORS = { group: GROUP, plural: 'doors', kind: 'Door' };
const ALL = `/clusters/*/apis/${GROUP}/v1/doors`;
const key = target.serviceAccountKey;
const isOurs = target.command !== undefined;
const describePublic = isOurs && key !== undefined ? describe : describe.skip;
/** The export is on the root shard, the account on another one where there is one. */
const elsewhere = target.shards.at(-1) ?? target.shards[0];

describePublic('a public face', () => {
  let fleet: RegisteredFleet;
  let exported: CreatedExport;
  let account: CreatedServiceAccount;
  const viewOf = (credentials: Credentials): Client =>
    fleet.at(credentials).at(`/services/apiexport/${exported.cluster}/${exported.name}`);

  beforeAll(async () => {
    exported = await createExport(await createParent(), { resources: [DOORS] });
    await bindExport(await createParent(), exported);
    account = await createServiceAccount(await createParent(elsewhere.name));
    for (const name of [account.globalName, 'user-1', 'door-provider']) {
      await admit(exported.parent, name);
      await grantContent(exported, name, ['list']);
    }
    fleet = new RegisteredFleet({ ...target, service: 'apiexport-vw', command: target.command ?? [] });
    await fleet.start();
    const shards = fleet.writeKubeconfig('shards', target.shardURL, target.masters);
    await fleet.startFrontProxy('--face=public', `--service-account-key-file=${key}`, `--shards-kubeconfig=${shards}`);
    fleet.startInstance('a');
    await eventually('access', async () => (await viewOf(certified('door-provider')).get(ALL)).expect(200));
  }, 180_000);

  afterAll(async () => {
    await fleet?.end();
  });

  test('knows a service account of another shard by its token, and a user by a review', async () => {
    (await viewOf(account.credentials).get(ALL)).expect(200);
    (await viewOf(user(1)).get(ALL)).expect(200);
    (await viewOf(user(2)).get(ALL)).expect(403);
  });

  test('lets a service account go when it is deleted, on whichever shard', async () => {
    await account.delete();
    await eventually('401', async () => (await viewOf(account.credentials).get(ALL)).expect(401));
  });

  test('has no masters, and nobody who speaks for others', async () => {
    (await viewOf(masters).get(ALL)).expect(403);
    for (const credentials of [masters, user(1)]) {
      (await viewOf(credentials).get(ALL, { 'Impersonate-User': 'door-provider' })).expect(403);
    }
  });

  test('takes no token that is not signed by that key', async () => {
    const [head, body] = account.credentials.token.split('.');
    for (const token of [`${head}.${body}.`, `${head}.${body}.AAAA`, 'x.y.z']) {
      (await viewOf({ name: 'forger', token }).get(ALL)).expect(401);
    }
  });
});
