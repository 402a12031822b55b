import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { claimHash, exportHash } from './kcp/permission-claims.ts';
import {
  APIS,
  ask,
  bindingTo,
  COWBOYS,
  cowboy,
  create,
  createWorkspace,
  eventually,
  exportNamed,
  schemaNamed,
  startShards,
  stopShards,
} from './two-shards.fixture.ts';

let provider: string;
let consumer: string;
let identityHash: string;

/** The export `cowboys`, which is bound on the other shard, and an export that claims its objects. */
beforeAll(async () => {
  await startShards();
  provider = await createWorkspace('provider', 'root');
  consumer = await createWorkspace('consumer', 'shard-1');
  const exports = `/clusters/${provider}${APIS}/apiexports`;
  await create(0, `/clusters/${provider}/apis/apis.kcp.io/v1alpha1/apiresourceschemas`, schemaNamed('today', ['v1']));
  await create(0, exports, exportNamed('cowboys'));
  identityHash = await eventually(async () => {
    const { status } = (await ask(0, `${exports}/cowboys`)).json();
    expect(status?.identityHash).toBeDefined();
    return status.identityHash;
  });
  const permissionClaims = [{ group: 'wildwest.dev', resource: 'cowboys', identityHash, verbs: ['*'] }];
  await create(0, exports, exportNamed('sheriffs', { resources: [], permissionClaims }));
  await eventually(() => create(1, `/clusters/${consumer}${APIS}/apibindings`, bindingTo('cowboys')));
});

afterAll(stopShards);

describe('a claim to what another export brings', () => {
  test('labels the objects on whatever shard they are', async () => {
    await eventually(() => create(1, `/clusters/${consumer}${COWBOYS}`, cowboy('woody')));
    const claim = { group: 'wildwest.dev', resource: 'cowboys', identityHash, verbs: ['*'] };
    const accepted = { ...claim, state: 'Accepted', selector: { matchAll: true } };
    await eventually(() => create(1, `/clusters/${consumer}${APIS}/apibindings`, bindingTo('sheriffs', [accepted])));
    const key = `claimed.internal.apis.kcp.io/${exportHash(provider, 'sheriffs')}`;
    await eventually(async () => {
      const { items } = (await ask(1, `/clusters/*/apis/wildwest.dev/v1/cowboys:${identityHash}?labelSelector=${key}`)).json();
      expect(items).toMatchObject([{ metadata: { name: 'woody', labels: { [key]: claimHash(claim) } } }]);
    });
    await eventually(async () => {
      const { status } = (await ask(1, `/clusters/${consumer}${APIS}/apibindings/sheriffs`)).json();
      expect(status.appliedPermissionClaims).toMatchObject([{ resource: 'cowboys', identityHash }]);
    });
  });

  test('to what nobody exports is refused without an identity, and not applied with a wrong one', async () => {
    const exports = `/clusters/${provider}${APIS}/apiexports`;
    const things = { group: 'things.dev', resource: 'things', verbs: ['*'] };
    const refused = await ask(0, exports, { method: 'POST', body: exportNamed('e', { permissionClaims: [things] }) });
    expect(refused).toMatchObject({ status: 403 });
    expect(refused.json().message).toBe(
      'apiexports.apis.kcp.io "e" is forbidden: spec.permissionClaims[0].identityHash: Invalid value: "": identityHash is required for API types that are not built-in',
    );
    const wrong = { ...things, identityHash: 'abc' };
    await create(0, exports, exportNamed('e', { resources: [], permissionClaims: [wrong] }));
    const accepted = { ...wrong, state: 'Accepted', selector: { matchAll: true } };
    await eventually(() => create(1, `/clusters/${consumer}${APIS}/apibindings`, bindingTo('e', [accepted])));
    await eventually(async () => {
      const { status } = (await ask(1, `/clusters/${consumer}${APIS}/apibindings/e`)).json();
      expect(status.appliedPermissionClaims).toBeUndefined();
      expect(status.conditions).toContainEqual(
        expect.objectContaining({
          type: 'PermissionClaimsApplied',
          status: 'False',
          message:
            'Permission claims have not been fully applied: error getting informer for group="things.dev", resource="things": unable to find informer for things.dev.things',
        }),
      );
    });
  });
});
