/**
 * A story of two SyncTargets, after each step of which all that their syncers can ask for is what the specification makes of what is stored:
 * lists of one logical cluster and of all, objects by name, and what a watch has told.
 */
import { describe, expect } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { target } from '../support/identities.ts';
import { Reply } from '../support/reply.ts';
import {
  type Consumer,
  createConsumer,
  createDeployment,
  createSyncedNamespace,
  deployment,
  mark,
  NAMESPACES,
  setState,
  syncingTest,
} from '../support/syncing.ts';
import {
  configMap,
  configMapsIn,
  created,
  createReadySyncTarget,
  deletionOf,
  finalizerOf,
  labelOf,
  letGo,
  placeOn,
  report,
  type Shown,
  seen,
  service,
  servicesIn,
  shownTo,
  softFinalizersOf,
  specDiffOf,
  stored,
  takeOn,
  unseen,
  viewDiffOf,
} from '../support/syncing-shown.ts';
import { beat, type CreatedSyncTarget } from '../support/syncing-targets.ts';
import { clusterScoped, namespaced, Witness } from '../support/syncing-witness.ts';
import { uniqueSuffix } from '../support/workspaces.ts';

const RULES = 'experimental.summarizing.workload.kcp.io';
const WITNESSED = [
  clusterScoped('namespaces'),
  namespaced('services'),
  namespaced('configmaps'),
  namespaced('deployments', '/apis/apps/v1'),
];

interface World {
  readonly consumer: Consumer;
  readonly west: CreatedSyncTarget;
  readonly east: CreatedSyncTarget;
  readonly toWest: Shown;
  readonly toEast: Shown;
  readonly namespace: string;
  /** Paths. */
  readonly web: string;
  readonly db: string;
  readonly config: string;
  readonly app: string;
}

const address = (ip: string) => ({ loadBalancer: { ingress: [{ ip }] } });
const diff = (value: string): string => JSON.stringify([{ op: 'replace', path: '/type', value }]);

const STEPS: readonly (readonly [string, (world: World) => Promise<unknown>])[] = [
  [
    'objects come to west',
    async ({ consumer, namespace, toWest, web, db, config, app }) => {
      await created(
        consumer,
        servicesIn(namespace),
        service('web', { labels: { tier: 'front' }, finalizers: ['e2e.dev/owner'] }),
      );
      await created(consumer, servicesIn(namespace), service('db'));
      await created(consumer, configMapsIn(namespace), configMap('config'));
      await createDeployment(consumer, namespace, deployment('app', 7));
      for (const path of [web, db, config, app]) await seen(toWest.here, path);
    },
  ],
  ['west takes one on', ({ toWest, west, web }) => takeOn(toWest.here, web, west)],
  ['west reports', ({ toWest, web }) => report(toWest.here, web, address('192.0.2.1'))],
  [
    'somebody else writes a status of what west has not reported on',
    ({ consumer, db }) => consumer.masters.mergePatch(`${db}/status`, { status: address('198.51.100.1') }),
  ],
  ['the owner changes a spec', ({ consumer, web }) => consumer.owner.mergePatch(web, { spec: { sessionAffinity: 'ClientIP' } })],
  [
    'the owner changes metadata',
    ({ consumer, config }) => consumer.owner.mergePatch(config, { metadata: { labels: { a: 'b' } } }),
  ],
  [
    'a spec of its own for west',
    ({ consumer, west, web }) => mark(consumer, web, { annotations: { [specDiffOf(west)]: diff('NodePort') } }),
  ],
  [
    'one that cannot be applied',
    ({ consumer, west, web }) =>
      mark(consumer, web, { annotations: { [specDiffOf(west)]: '[{"op":"remove","path":"/no/such"}]' } }),
  ],
  ['one that is none', ({ consumer, west, db }) => mark(consumer, db, { annotations: { [specDiffOf(west)]: '{' } })],
  [
    'both are mended',
    async ({ consumer, west, web, db }) => {
      await mark(consumer, web, { annotations: { [specDiffOf(west)]: diff('LoadBalancer') } });
      await mark(consumer, db, { annotations: { [specDiffOf(west)]: null } });
    },
  ],
  [
    'a view-diff that is none',
    ({ consumer, west, config }) => mark(consumer, config, { annotations: { [viewDiffOf(west)]: 'no' } }),
  ],
  ['it is taken away', ({ consumer, west, config }) => mark(consumer, config, { annotations: { [viewDiffOf(west)]: null } })],
  [
    'east comes, too',
    async ({ consumer, namespace, west, east, toEast, web, db, config, app }) => {
      await placeOn(consumer, namespace, [west, east]);
      for (const path of [web, db, config, app]) await seen(toEast.here, path);
    },
  ],
  [
    'east takes all on',
    async ({ toEast, east, web, db, app }) => {
      for (const path of [web, db, app]) await takeOn(toEast.here, path, east);
    },
  ],
  ['east reports', ({ toEast, web }) => report(toEast.here, web, address('192.0.2.2'))],
  [
    'both report of the deployment',
    async ({ toWest, toEast, west, app }) => {
      await takeOn(toWest.here, app, west);
      await report(toWest.here, app, { replicas: 4, availableReplicas: 4 });
      await report(toEast.here, app, { replicas: 3, availableReplicas: 1 });
    },
  ],
  [
    'a view-diff of east is broken, which is nothing to west',
    async ({ consumer, east, db, toWest }) => {
      await mark(consumer, db, { annotations: { [viewDiffOf(east)]: '[' } });
      await seen(toWest.here, db);
    },
  ],
  ['and is mended', ({ consumer, east, db }) => mark(consumer, db, { annotations: { [viewDiffOf(east)]: '{}' } })],
  [
    'a rule of its own',
    ({ consumer, web }) => {
      const rules = [
        { fieldPath: 'status', promoteToUpstream: true },
        { fieldPath: 'spec.clusterIP', promoteToUpstream: false },
      ];
      return mark(consumer, web, { annotations: { [RULES]: JSON.stringify(rules) } });
    },
  ],
  ['east writes by it', ({ toEast, web }) => toEast.here.mergePatch(web, { spec: { clusterIP: '10.9.8.7' } })],
  ['rules that are none', ({ consumer, web }) => mark(consumer, web, { annotations: { [RULES]: '{"a"' } })],
  ['the rules go', ({ consumer, web }) => mark(consumer, web, { annotations: { [RULES]: null } })],
  ['one becomes pending for east', ({ consumer, east, config }) => setState(consumer, config, [east], '')],
  ['and not any more', ({ consumer, east, config }) => setState(consumer, config, [east], 'Sync')],
  [
    'a deletion that is no time',
    ({ consumer, west, web }) => mark(consumer, web, { annotations: { [deletionOf(west)]: 'soon' } }),
  ],
  [
    'the owner deletes it, and west is not to see that',
    async ({ consumer, west, web }) => {
      await mark(consumer, web, { annotations: { [deletionOf(west)]: null, [softFinalizersOf(west)]: 'e2e.dev/wait' } });
      (await consumer.owner.delete(web)).expect(200);
      await eventually('the deletion', async () =>
        expect((await stored(consumer, web)).metadata?.annotations).toHaveProperty([deletionOf(west)]),
      );
    },
  ],
  ['east lets go', ({ toEast, web }) => letGo(toEast.here, web)],
  ['west is told', ({ consumer, west, web }) => mark(consumer, web, { annotations: { [softFinalizersOf(west)]: '' } })],
  [
    'west lets go',
    async ({ toWest, web }) => {
      await letGo(toWest.here, web);
      await unseen(toWest.here, web);
    },
  ],
  [
    'it is gone',
    async ({ consumer, web }) => {
      await mark(consumer, web, { finalizers: null });
      (await consumer.masters.get(web)).expect(404);
    },
  ],
  [
    'west is to leave',
    async ({ consumer, namespace, east, west, app }) => {
      await placeOn(consumer, namespace, [east]);
      await eventually('the deletion', async () =>
        expect((await stored(consumer, app)).metadata?.annotations).toHaveProperty([deletionOf(west)]),
      );
    },
  ],
  [
    'west has left',
    async ({ consumer, namespace, toWest, west, app, db, config }) => {
      await letGo(toWest.here, app);
      for (const path of [app, db, config, `${NAMESPACES}/${namespace}`]) {
        await unseen(toWest.here, path);
        expect((await stored(consumer, path)).metadata?.labels).not.toHaveProperty([labelOf(west)]);
      }
      expect((await stored(consumer, app)).metadata?.finalizers ?? []).not.toContain(finalizerOf(west));
    },
  ],
  ['east reports as the only one', ({ toEast, app }) => report(toEast.here, app, { replicas: 7, availableReplicas: 7 })],
];

describe.each(target.shards.map(shard => ({ on: shard.name, shard })))('what syncers are shown on $on', ({ shard }) => {
  syncingTest('is what the specification makes of what is stored, whatever becomes of it', async () => {
    const group = uniqueSuffix();
    const [west, east, consumer] = await Promise.all([
      createReadySyncTarget({ mark: group }),
      createReadySyncTarget({ mark: group }),
      createConsumer(shard),
    ]);
    const [toWest, toEast] = await Promise.all([shownTo(west, consumer), shownTo(east, consumer)]);
    const namespace = await createSyncedNamespace(consumer, [west]);
    const [web, db] = ['web', 'db'].map(name => `${servicesIn(namespace)}/${name}`) as [string, string];
    const config = `${configMapsIn(namespace)}/config`;
    const app = `/apis/apps/v1/namespaces/${namespace}/deployments/app`;
    const world: World = { consumer, west, east, toWest, toEast, namespace, web, db, config, app };
    const witnesses = [
      await Witness.call(west, toWest, consumer, WITNESSED),
      await Witness.call(east, toEast, consumer, WITNESSED),
    ];
    for (const [step, happens] of STEPS) {
      await Promise.all([beat(west), beat(east)]);
      const outcome = await happens(world);
      if (outcome instanceof Reply) outcome.expect(200);
      await Promise.all(witnesses.map(witness => witness.compare(step)));
    }
    expect(await stored(consumer, app)).toMatchObject({ status: { replicas: 7, availableReplicas: 7 } });
    for (const witness of witnesses) witness.close();
  });
});
