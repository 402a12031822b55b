import { expect, test } from '@jest/globals';
import type { Reviewer } from '@kcp-vw/shared/authz/reviewer.ts';
import { ManualClock } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import fc from 'fast-check';
import { createWorkspaceIndex } from '../index/workspace-index.ts';
import { CLUSTERS, histories, PARENTS } from '../index/world.fixture.ts';
import { createReviewSource } from './review-source.ts';
import { caller } from './sight.fixture.ts';
import type { SeenEvent, Sight } from './sight.ts';

/** By name, the version of the object, which says which it is. */
type State = Map<string, bigint>;

const ann = caller('ann');

function stateOf(sight: Sight, parent: string | undefined): State {
  return new Map([...sight.list(parent)].map(({ snapshot }) => [`${snapshot.parent}/${snapshot.name}`, snapshot.objectVersion]));
}

function apply(state: State, { type, snapshot }: SeenEvent): void {
  const key = `${snapshot.parent}/${snapshot.name}`;
  expect(state.has(key)).toBe(type !== 'ADDED');
  if (type === 'DELETED') state.delete(key);
  else state.set(key, snapshot.objectVersion);
}

test('whoever watches reviewed workspaces, or comes again and again, knows what a list would say', async () => {
  const decisions = fc.array(fc.subarray([...CLUSTERS, 'one', 'two']), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(histories, decisions, fc.constantFrom(undefined, ...PARENTS), async (history, allowed, parent) => {
      const index = createWorkspaceIndex({ epoch: 1000n });
      let step = 0;
      const isAllowed = (what: string): boolean => (allowed[step % allowed.length] ?? []).includes(what);
      const reviewer: Pick<Reviewer, 'review'> = {
        review: async (cluster, { resource }) => ({ allowed: isAllowed(resource?.name ?? cluster), reason: '' }),
      };
      const source = createReviewSource({
        index,
        clock: new ManualClock(),
        log: { warn: (fields: unknown) => expect(fields).toBeUndefined() },
        reviewerOf: () => reviewer as Reviewer,
      });
      const first = await source.sightOf(ann, parent);
      const watched = stateOf(first, parent);
      const versions = [first.version];
      first.watch(first.version, parent, event => {
        expect(event.version).toBeGreaterThanOrEqual(versions.at(-1) ?? 0n);
        versions.push(event.version);
        apply(watched, event);
      });
      const come = { version: first.version, state: new Map(watched) };
      for (const batch of history) {
        step += 1;
        index.batch(() => {
          for (const edit of batch) edit.apply(index);
        });
        const sight = await source.sightOf(ann, parent);
        const now = stateOf(sight, parent);
        const expected = [...index.candidates(parent === undefined ? {} : { parent })].filter(
          ({ name, entrance, mount }) => entrance.open && isAllowed(mount ? name : entrance.cluster),
        );
        expect([...now.keys()]).toEqual(expected.map(one => `${one.parent}/${one.name}`));
        expect(new Map([...watched].sort())).toEqual(new Map([...now].sort()));
        try {
          sight.watch(come.version, parent, event => apply(come.state, event))();
        } catch (error) {
          if (!(error instanceof StatusError) || error.code !== 410) throw error;
          come.state = new Map(now);
        }
        come.version = sight.version;
        expect(new Map([...come.state].sort())).toEqual(new Map([...now].sort()));
      }
      source.stop();
    }),
    { numRuns: 100 },
  );
});
