import { conflict, type StatusError } from '@kcp-vw/shared/kube/errors.ts';
import { parseExact } from '@kcp-vw/shared/kube/json-exact.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { asSeen } from './as-seen.ts';
import { syncerFinalizer } from './names.ts';
import { type Put, type SyncerWrite, type WritePlan, writePlan } from './write-plan.ts';

export const THINGS = { group: 'group', resource: 'things' };

/** One object as a shard stores it: a PUT of it stores no status, a PUT of its status nothing else, and neither anything that is not new. */
export interface SimulatedUpstream {
  readonly object: KubeObject;
  /** Of each PUT so far what was written. */
  readonly puts: Put['put'][];
  put(what: Put['put'], object: KubeObject): KubeObject;
  /** Somebody else writes: kcp, its scheduler, a user. */
  change(edit: (object: KubeObject) => KubeObject): void;
}

export function simulatedUpstream(initial: KubeObject): SimulatedUpstream {
  let version = 1;
  let stored = frozen(initial);
  const store = (next: KubeObject): KubeObject => {
    const isNew = JSON.stringify(versioned(next, '')) !== JSON.stringify(versioned(stored, ''));
    if (isNew) version++;
    stored = frozen(versioned(next, String(version)));
    return stored;
  };
  store(initial);
  const puts: Put['put'][] = [];
  return {
    get object() {
      return stored;
    },
    puts,
    put(what, object) {
      puts.push(what);
      if (object.metadata?.resourceVersion !== stored.metadata?.resourceVersion) throw conflict(THINGS, 'web', 'modified');
      const { status: submitted, ...others } = object;
      const status = what === 'status' ? submitted : stored.status;
      const rest = what === 'status' ? without(stored, 'status') : others;
      return store({ ...rest, ...(status !== undefined && { status }) });
    },
    change(edit) {
      store(edit(stored));
    },
  };
}

const versioned = (object: KubeObject, resourceVersion: string): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion },
});

const without = (object: KubeObject, name: string): KubeObject =>
  Object.fromEntries(Object.entries(object).filter(([field]) => field !== name));

/** A copy that nobody can change: who tries throws. */
export function frozen<T>(value: T): T {
  const copy = parseExact(JSON.stringify(value)) as T;
  freeze(copy);
  return copy;
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  for (const one of Object.values(value)) freeze(one);
}

/** Executes a plan as the view will; `crashAfter`: so many PUTs. Throws its refusal, or the first error of a PUT. */
export function execute(upstream: SimulatedUpstream, plan: WritePlan, crashAfter = Number.POSITIVE_INFINITY): KubeObject {
  if ('refusal' in plan) throw plan.refusal;
  let current = upstream.object;
  for (const [done, { put, object }] of plan.puts.entries()) {
    if (done >= crashAfter) throw new Error('crashed');
    current = upstream.put(put, frozen(object(current)));
  }
  const answer = plan.answer(current);
  if (!('seen' in answer)) throw new Error(`the answer cannot be shown: ${JSON.stringify(answer)}`);
  return answer.seen;
}

export const planFor = (
  upstream: SimulatedUpstream,
  key: string,
  submitted: KubeObject,
  subresource: SyncerWrite['subresource'],
): WritePlan => writePlan({ of: THINGS, name: 'web', key, subresource, stored: upstream.object, submitted: frozen(submitted) });

/** What a syncer reads. */
export function viewFor(upstream: SimulatedUpstream, key: string): KubeObject {
  const seen = asSeen(upstream.object, key);
  if (!('seen' in seen)) throw new Error(JSON.stringify(seen));
  return seen.seen;
}

/** What a syncer does with what it has just read: reports a status, takes the object, lets it go. */
export const withStatus = (view: KubeObject, status: unknown): KubeObject => ({ ...view, status });
export const taken = (view: KubeObject, key: string): KubeObject => ({
  ...view,
  metadata: { ...view.metadata, finalizers: [syncerFinalizer(key)] },
});
export const letGo = (view: KubeObject): KubeObject => ({ ...view, metadata: { ...view.metadata, finalizers: [] } });

export function refusalOf(plan: WritePlan): StatusError {
  if ('refusal' in plan) return plan.refusal;
  throw new Error(`it is not refused: ${plan.puts.map(({ put }) => put)}`);
}
