import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import fc from 'fast-check';
import { asSeen } from './as-seen.ts';
import { syncIntents } from './sync-intents.ts';
import { execute, letGo, planFor, type SimulatedUpstream, simulatedUpstream, taken } from './upstream.fixture.ts';

/**
 * Two syncers, kcp's scheduler, a coordinator and a user write one object in any order; syncers write what they have read some time ago, and
 * crash between two PUTs. Values say whose they are and how new: `W3`.
 */
export interface World {
  readonly upstream: SimulatedUpstream;
  readonly syncers: Readonly<Record<Key, Syncer>>;
  count: number;
  /** A syncer has written since there are several targets, so that the upstream status is no single one's. */
  isShared: boolean;
}

export const KEYS = ['W', 'E'] as const;
export type Key = (typeof KEYS)[number];

interface Syncer {
  /** What it has read last, which may be old. */
  view: KubeObject | undefined;
  /** By field: the newest value that was acknowledged in this assignment; undefined: nothing to be lost. */
  acknowledged: { status?: number; host?: number };
}

export const RULES: fc.Arbitrary<string | undefined> = fc.constantFrom(
  undefined,
  '[{"fieldPath":"status","promoteToUpstream":false}]',
  '[{"fieldPath":"status","promoteToUpstream":true},{"fieldPath":"spec.host","promoteToUpstream":true}]',
  '[{"fieldPath":"status","promoteToUpstream":true},{"fieldPath":"spec.host"}]',
);

const SOON = '2023-05-01T10:00:00Z';

export const named = {
  label: (of: Key) => `state.workload.kcp.io/${of}`,
  finalizer: (of: Key) => `workload.kcp.io/syncer-${of}`,
  deletion: (of: Key) => `deletion.internal.workload.kcp.io/${of}`,
  soft: (of: Key) => `finalizers.workload.kcp.io/${of}`,
  diff: (of: Key) => `diff.syncer.internal.kcp.io/${of}`,
  spec: (of: Key) => `experimental.spec-diff.workload.kcp.io/${of}`,
};

export const startedWorld = (rules: string | undefined): World => ({
  upstream: simulatedUpstream({
    metadata: {
      name: 'web',
      labels: { app: 'web' },
      finalizers: ['other'],
      annotations: { 'kcp.io/cluster': 'c1', ...(rules !== undefined && { 'experimental.summarizing.workload.kcp.io': rules }) },
    },
    spec: { replicas: 7 },
    status: { of: 'kcp' },
  }),
  syncers: { W: { view: undefined, acknowledged: {} }, E: { view: undefined, acknowledged: {} } },
  count: 0,
  isShared: false,
});

/** Sets or, with undefined, removes. */
const entry =
  (of: 'labels' | 'annotations', name: string, value: string | undefined) =>
  (object: KubeObject): KubeObject => {
    const { [name]: _, ...others } = object.metadata?.[of] ?? {};
    return { ...object, metadata: { ...object.metadata, [of]: { ...others, ...(value !== undefined && { [name]: value }) } } };
  };

export const assign = ({ upstream }: World, key: Key): void => upstream.change(entry('labels', named.label(key), 'Sync'));
export const askToLeave = ({ upstream }: World, key: Key): void =>
  upstream.change(entry('annotations', named.deletion(key), SOON));
export const letFree = ({ upstream }: World, key: Key): void => upstream.change(entry('annotations', named.soft(key), undefined));

/** A user does it: the label is gone, and all else is left. */
function tearOff({ upstream, syncers }: World, key: Key): void {
  upstream.change(entry('labels', named.label(key), undefined));
  syncers[key].acknowledged = {};
}

/** What others than syncers do. */
const OTHERS = {
  assign,
  tearOff,
  letFree,
  letWait(world: World, key: Key) {
    // The scheduler does not take back what a syncer has begun.
    if (world.upstream.object.metadata?.labels?.[named.label(key)] === 'Sync') return;
    world.upstream.change(entry('labels', named.label(key), ''));
  },
  unassign(world: World, key: Key) {
    const { labels = {}, finalizers = [] } = world.upstream.object.metadata ?? {};
    if (labels[named.label(key)] === undefined) return;
    if (finalizers.includes(named.finalizer(key))) askToLeave(world, key);
    else tearOff(world, key);
  },
  holdBack({ upstream }: World, key: Key) {
    upstream.change(entry('annotations', named.soft(key), 'backup'));
  },
  share({ upstream }: World, key: Key) {
    upstream.change(entry('annotations', named.spec(key), '[{"op":"add","path":"/replicas","value":3}]'));
  },
  edit(world: World) {
    const replicas = ++world.count;
    world.upstream.change(object => ({ ...object, spec: { ...(object.spec as object), replicas } }));
  },
  sumUp({ upstream, isShared }: World) {
    if (isShared) upstream.change(object => ({ ...object, status: { of: 'all' } }));
  },
} satisfies Record<string, (world: World, key: Key) => void>;

const SYNCERS = ['take', 'letGo', 'forge', 'report', 'setHost'] as const;
type Write = (typeof SYNCERS)[number];

export type Step =
  | { readonly do: keyof typeof OTHERS; readonly key: Key }
  | { readonly do: Write; readonly key: Key; readonly isStale: boolean; readonly crashes: boolean };

const rarely = fc.nat({ max: 3 }).map(n => n === 0);
export const aKey: fc.Arbitrary<Key> = fc.constantFrom(...KEYS);
export const STEPS: fc.Arbitrary<Step[]> = fc.array<Step>(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ do: fc.constantFrom(...SYNCERS, 'report' as const), key: aKey, isStale: rarely, crashes: rarely }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('assign' as const, 'sumUp' as const), key: aKey }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constantFrom(...(Object.keys(OTHERS) as (keyof typeof OTHERS)[])), key: aKey }) },
  ),
  { maxLength: 40, size: 'max' },
);

/** Does a step. `check` sees what a syncer's write has made of the object, also one that was refused or has crashed. */
export function step(world: World, one: Step, check: (before: KubeObject, after: KubeObject, of: Key) => void): void {
  if (!('crashes' in one)) {
    OTHERS[one.do](world, one.key);
    if (syncIntents(world.upstream.object).size < 2) world.isShared = false;
    return;
  }
  const before = world.upstream.object;
  try {
    write(world, one);
  } catch (error) {
    if (!(error instanceof StatusError) && !isCrash(error)) throw error;
  }
  if (syncIntents(world.upstream.object).size < 2) world.isShared = false;
  check(before, world.upstream.object, one.key);
}

export const isCrash = (error: unknown): boolean => error instanceof Error && error.message === 'crashed';

function write(world: World, one: Extract<Step, { readonly crashes: boolean }>): void {
  const { upstream } = world;
  const syncer = world.syncers[one.key];
  const seen = asSeen(upstream.object, one.key);
  if ('seen' in seen && !one.isStale) syncer.view = seen.seen;
  if (!syncer.view) return;
  const count = ++world.count;
  const submitted = submittedBy(one, syncer.view, `${one.key}${count}`);
  const mayLeave = canLeave(upstream.object, one.key);
  const plan = planFor(upstream, one.key, submitted, one.do === 'report' ? 'status' : '');
  syncer.view = execute(upstream, plan, one.crashes ? 1 : undefined);
  world.isShared = true;
  if (one.do === 'letGo' || one.do === 'forge') {
    if (!mayLeave) throw new Error(`${one.key} has left without being asked to`);
    syncer.acknowledged = {};
  }
  if (one.do === 'report') syncer.acknowledged.status = count;
  if (one.do === 'setHost') syncer.acknowledged.host = count;
}

/** What a syncer asks for, with much that is not its to write. */
function submittedBy(one: { readonly do: Write; readonly key: Key }, view: KubeObject, value: string): KubeObject {
  const spec = { ...(view.spec as object), replicas: 99 };
  const noisy = { ...view, other: 'x', spec, metadata: { ...view.metadata, labels: { x: 'y' }, annotations: {} } };
  switch (one.do) {
    case 'take':
      return taken(noisy, one.key);
    case 'letGo':
      return letGo(noisy);
    case 'forge':
      return letGo({ ...noisy, metadata: { ...noisy.metadata, deletionTimestamp: SOON } });
    case 'report':
      return taken({ ...noisy, status: { of: value } }, one.key);
    case 'setHost':
      return taken({ ...noisy, spec: { ...spec, host: value } }, one.key);
  }
}

function canLeave(object: KubeObject, key: Key): boolean {
  const annotations = object.metadata?.annotations ?? {};
  return annotations[named.deletion(key)] !== undefined && !annotations[named.soft(key)];
}
