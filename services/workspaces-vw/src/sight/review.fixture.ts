/** Test equipment: reviews that a test answers, and what a watcher is told. */
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import type { ReviewAttributes, Reviewer } from '@kcp-vw/shared/authz/reviewer.ts';
import { ManualClock } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import type { Entrance, Snapshot } from '../index/snapshot.ts';
import { createReviewSource, type ReviewSourceOptions } from './review-source.ts';
import { caller, entranceOf, fakeIndex, NOON, snapshotOf } from './sight.fixture.ts';
import type { SeenEvent, Sight } from './sight.ts';

export const ada = caller('ada');

/** A webhook lets in whoever is in `allowed`: `<user> <cluster>`, for mounts `<user> <cluster> <name>`. */
export function reviewed(options: Partial<ReviewSourceOptions> = {}) {
  const index = fakeIndex();
  const clock = new ManualClock();
  const allowed = new Set<string>();
  const asked: string[] = [];
  const warnings: unknown[] = [];
  const state: { failure?: Error; most: number; underWay: number } = { most: 0, underWay: 0 };
  const reviewer: Pick<Reviewer, 'review'> = {
    async review(cluster, { user, resource }: ReviewAttributes) {
      const key = [user.name, cluster, ...(resource?.name === undefined ? [] : [resource.name])].join(' ');
      asked.push(key);
      state.underWay += 1;
      state.most = Math.max(state.most, state.underWay);
      await Promise.resolve();
      const answer = allowed.has(key);
      await new Promise(resolve => setImmediate(resolve));
      state.underWay -= 1;
      if (state.failure) throw state.failure;
      return { allowed: answer, reason: '' };
    },
  };
  const source = createReviewSource({
    index,
    clock,
    now: () => NOON,
    log: { warn: (fields: unknown) => void warnings.push(fields) },
    reviewerOf: shard => (shard === 'alpha' ? (reviewer as Reviewer) : undefined),
    ...options,
  });
  const put = (parent: string, name: string, changes: Partial<Snapshot> = {}, entrance: Partial<Entrance> = {}): void =>
    index.put(snapshotOf(parent, name, { entrance: entranceOf(`c-${name}`, entrance), ...changes }));
  const names = async (parent?: string, who: Caller = ada): Promise<string[]> =>
    namesIn(await source.sightOf(who, parent), parent);
  return { index, clock, allowed, asked, warnings, state, source, put, names };
}

export const namesIn = (sight: Sight, parent?: string): string[] => [...sight.list(parent)].map(({ snapshot }) => snapshot.name);

export function record(sight: Sight, version: bigint, parent?: string) {
  const events: SeenEvent[] = [];
  const stop = sight.watch(version, parent, event => events.push(event));
  const told = (): string[] => events.map(({ type, version: at, snapshot }) => `${type} ${snapshot.name} ${at}`);
  return { events, told, stop };
}
