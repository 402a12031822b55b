import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import type { Reviewer } from '@kcp-vw/shared/authz/reviewer.ts';
import { serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';
import type { Snapshot } from '../index/snapshot.ts';

/** What is to be reviewed before a workspace can be shown. */
export interface Target {
  /** Of what the answer is about: the logical cluster, or of a mount its place. */
  readonly key: string;
  readonly parent: string;
  readonly name: string;
  /** Where it is reviewed. */
  readonly cluster: string;
  readonly shard: string;
  readonly isMount: boolean;
}

/** Undefined for what nobody may enter: it is not scheduled, or closed. */
export function targetOf({ parent, name, entrance, mount }: Snapshot): Target | undefined {
  if (!entrance.open || entrance.cluster === '') return undefined;
  const isMount = mount !== undefined;
  const { cluster, shard } = entrance;
  return { key: isMount ? `${parent}/${name}` : cluster, parent, name, cluster, shard, isMount };
}

/** The reviewer for the logical clusters of a shard; undefined when nobody can be asked. */
export type ReviewerOf = (shard: string) => Reviewer | undefined;

/** Asks kcp. Rejects with a StatusError 503 when there is no answer. */
export async function review(
  reviewerOf: ReviewerOf,
  user: Caller,
  target: Pick<Target, 'cluster' | 'shard'>,
  mount?: string,
): Promise<boolean> {
  const reviewer = reviewerOf(target.shard);
  if (reviewer === undefined) throw unknowable(new Error(`there is no reviewer for shard "${target.shard}"`));
  try {
    const attributes =
      mount === undefined
        ? { user, nonResource: { path: '/', verb: 'access' } }
        : { user, resource: { group: 'tenancy.kcp.io', version: 'v1alpha1', resource: 'workspaces', verb: 'get', name: mount } };
    return (await reviewer.review(target.cluster, attributes)).allowed;
  } catch (error) {
    throw unknowable(error);
  }
}

const unknowable = (cause: unknown) => serviceUnavailable('who may enter which workspaces cannot be reviewed now', 1, cause);
