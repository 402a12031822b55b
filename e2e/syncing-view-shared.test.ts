/** One object of two SyncTargets: each syncer has its own status, and the one that is left over has that of the object. */
import { describe, expect } from '@jest/globals';
import { target } from './support/identities.ts';
import { createConsumer, createSyncedNamespace, mark, storedIn, syncingTest } from './support/syncing.ts';
import {
  created,
  createReadySyncTarget,
  deletionOf,
  finalizerOf,
  labelOf,
  letGo,
  placeOn,
  report,
  seen,
  service,
  servicesIn,
  shownTo,
  specDiffOf,
  stored,
  takeOn,
  unseen,
  viewDiffOf,
} from './support/syncing-shown.ts';
import { uniqueSuffix } from './support/workspaces.ts';

const withAddress = (ip: string) => ({ loadBalancer: { ingress: [{ ip }] } });
const [WEST, EAST] = [withAddress('192.0.2.1'), withAddress('192.0.2.2')];

describe.each(target.shards.map(shard => ({ on: shard.name, shard })))('two SyncTargets on $on', ({ shard }) => {
  const scenario = async () => {
    const mark = uniqueSuffix();
    const [west, east, consumer] = await Promise.all([
      createReadySyncTarget({ mark }),
      createReadySyncTarget({ mark }),
      createConsumer(shard),
    ]);
    const [toWest, toEast] = await Promise.all([shownTo(west, consumer), shownTo(east, consumer)]);
    return { west, east, consumer, toWest, toEast };
  };

  syncingTest('have each their own status, finalizer and spec of what they share, and none of them the object’s', async () => {
    const { west, east, consumer, toWest, toEast } = await scenario();
    const namespace = await createSyncedNamespace(consumer, [west, east]);
    const path = await created(consumer, servicesIn(namespace), service('shared'));
    await takeOn(toWest.here, path, west);
    await takeOn(toEast.here, path, east);
    await mark(consumer, path, { annotations: { [specDiffOf(east)]: '[{"op":"replace","path":"/type","value":"NodePort"}]' } });
    const before = await stored(consumer, path);
    await report(toWest.here, path, WEST);
    await report(toEast.here, path, EAST);
    const [ofWest, ofEast] = [await seen(toWest.here, path), await seen(toEast.here, path)];
    expect(ofWest).toMatchObject({ spec: { type: 'ClusterIP' }, status: WEST, metadata: { finalizers: [finalizerOf(west)] } });
    expect(ofEast).toMatchObject({ spec: { type: 'NodePort' }, status: EAST, metadata: { finalizers: [finalizerOf(east)] } });
    for (const { metadata } of [ofWest, ofEast]) {
      // That it is shared is no secret; what the other has reported is none of its business.
      expect(metadata?.labels).toMatchObject({ [labelOf(west)]: 'Sync', [labelOf(east)]: 'Sync' });
      for (const one of [west, east]) expect(metadata?.annotations).not.toHaveProperty([viewDiffOf(one)]);
    }
    const after = await stored(consumer, path);
    expect(after.status).toEqual(before.status);
    expect(after.spec).toEqual(before.spec);
    // Neither takes anything of the other away.
    (
      await toWest.here.mergePatch(path, { metadata: { labels: { [labelOf(east)]: null }, finalizers: [finalizerOf(west)] } })
    ).expect(200);
    expect(await storedIn(consumer, path)).toMatchObject({
      metadata: {
        labels: { [labelOf(east)]: 'Sync' },
        finalizers: expect.arrayContaining([finalizerOf(east), finalizerOf(west)]),
      },
    });
    expect((await seen(toEast.here, path)).status).toEqual(EAST);
  });

  syncingTest(
    'come one after the other: the status is taken back from the object when the second comes, and given to it when the first is gone',
    async () => {
      const { west, east, consumer, toWest, toEast } = await scenario();
      const namespace = await createSyncedNamespace(consumer, [west]);
      const path = await created(consumer, servicesIn(namespace), service('moving'));
      await takeOn(toWest.here, path, west);
      await report(toWest.here, path, WEST);
      expect((await stored(consumer, path)).status).toEqual(WEST);
      (await toEast.here.get(path)).expect(404);

      await placeOn(consumer, namespace, [west, east]);
      await takeOn(toEast.here, path, east);
      await report(toEast.here, path, EAST);
      // Upstream is what was there; each sees its own.
      expect((await stored(consumer, path)).status).toEqual(WEST);
      expect((await seen(toWest.here, path)).status).toEqual(WEST);
      expect((await seen(toEast.here, path)).status).toEqual(EAST);
      const later = withAddress('192.0.2.9');
      await report(toWest.here, path, later);
      expect((await stored(consumer, path)).status).toEqual(WEST);
      expect((await seen(toWest.here, path)).status).toEqual(later);

      await placeOn(consumer, namespace, [east]);
      await letGo(toWest.here, path);
      (await toWest.here.get(path)).expect(404);
      await unseen(toWest.here, path);
      const { status, metadata } = await stored(consumer, path);
      expect(status).toEqual(EAST);
      expect(metadata?.labels).not.toHaveProperty([labelOf(west)]);
      expect(metadata?.finalizers).toEqual([finalizerOf(east)]);
      for (const name of [viewDiffOf(west), deletionOf(west)]) expect(metadata?.annotations).not.toHaveProperty([name]);
      expect((await seen(toEast.here, path)).status).toEqual(EAST);
      // It is the only one: what it reports is the object's at once.
      await report(toEast.here, path, later);
      expect((await stored(consumer, path)).status).toEqual(later);
    },
  );
});
