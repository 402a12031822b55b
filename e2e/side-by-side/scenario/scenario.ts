/** What the requests are about: workspaces, exports, consumers with content, users, and workspaces in their lifecycle. */
import { initializing, type Lifecycle, terminating } from '../../support/lifecycle.ts';
import { Scenario as LifecycleScenario } from '../../support/scenario.ts';
import { admit, createParent, grant, uniqueSuffix } from '../../support/workspaces.ts';
import type { UserName } from '../row.ts';
import { createConsumers } from './consumers.ts';
import { createExports } from './exports.ts';
import { readWhere } from './shard.ts';
import { createUsers, type User } from './users.ts';

export interface Scenario {
  readonly users: Readonly<Record<UserName, User>>;
  /** What `{name}` stands for in a row. */
  readonly names: Readonly<Record<string, string>>;
  /** The same, for names that each of the two sides has of its own. */
  readonly own: Readonly<Record<string, readonly [string, string]>>;
  /** The prefixes of the views by name, `{…}` included. */
  readonly views: Readonly<Record<string, string>>;
}

interface Placed {
  readonly path: string;
  readonly cluster: string;
}

async function createPlace(): Promise<Placed> {
  const path = await createParent();
  const found = await readWhere<{ spec: { cluster: string } }>(
    'root',
    `/apis/tenancy.kcp.io/v1alpha1/workspaces/${path.slice('root:'.length)}`,
    'has a cluster',
    ({ spec }) => spec.cluster !== '',
  );
  return { path, cluster: found.spec.cluster };
}

interface Waiting {
  readonly name: string;
  /** For reading. */
  readonly cluster: string;
  /** For the writes of each side, and the names of the workspaces. */
  readonly own: readonly [string, string];
  readonly ownWorkspaces: readonly [string, string];
}

/** Three workspaces that wait for one type, which `user-1` may finish. */
async function createWaiting(lifecycle: Lifecycle): Promise<Waiting> {
  const first = await LifecycleScenario.create(lifecycle);
  await admit(first.type.parent, 'user-1');
  await grant(first.type, 'user-1', lifecycle.verb);
  const [second, third] = [await first.another(), await first.another()];
  return {
    name: first.name,
    cluster: first.cluster,
    own: [second.cluster, third.cluster],
    ownWorkspaces: [second.workspace.metadata.name, third.workspace.metadata.name],
  };
}

const VIEWS = {
  wild: '/services/apiexport/{home}/wild',
  tame: '/services/apiexport/{home}/tame',
  bare: '/services/apiexport/{home}/bare',
  law: '/services/apiexport/{foreign}/law',
  schemas: '/services/apiresourceschema/{c1}',
  initializing: '/services/initializingworkspaces/{initializer}',
  terminating: '/services/terminatingworkspaces/{terminator}',
  root: '',
};

export async function createScenario(): Promise<Scenario> {
  const places = await Promise.all([createPlace(), createPlace(), createPlace(), createPlace(), createPlace(), createPlace()]);
  const [home, foreign, first, second, third, unbound] = places;
  const { claims, identities } = await createExports(home.cluster, foreign.cluster);
  const clusters = [first.cluster, second.cluster, third.cluster] as const;
  await createConsumers({ clusters, home: home.path, foreign: foreign.path, claims });
  const [users, born, dying] = [
    await createUsers(home.cluster, foreign.cluster, second.cluster),
    await createWaiting(initializing),
    await createWaiting(terminating),
  ];
  const [c1, c2, c3] = clusters;
  const suffix = uniqueSuffix();
  return {
    users,
    names: {
      c1,
      c2,
      c3,
      unbound: unbound.cluster,
      home: home.cluster,
      homePath: home.path,
      foreign: foreign.cluster,
      path1: first.path,
      wildIdentity: identities.wild,
      lawIdentity: identities.law,
      initializer: born.name,
      terminator: dying.name,
      born: born.cluster,
      dying: dying.cluster,
    },
    own: {
      copy: [`one-${suffix}`, `two-${suffix}`],
      ownBorn: born.own,
      ownBornWorkspace: born.ownWorkspaces,
      ownDying: dying.own,
      ownDyingWorkspace: dying.ownWorkspaces,
    },
    views: VIEWS,
  };
}
