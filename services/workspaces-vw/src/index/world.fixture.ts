import fc from 'fast-check';
import type { IndexWriter, WorkspaceObject } from './facts.ts';
import type { Interest } from './snapshot.ts';

/** A small world in which everything meets everything: two shards, a few names. */
export const SHARDS = ['alpha', 'beta'];
export const PARENTS = ['root', 'team'];
const NAMES = ['one', 'team', 'two'];
/** `team` is the content of root's workspace of that name; those of the others are named after both. */
const CONTENTS = ['team', ...PARENTS.flatMap(parent => NAMES.map(name => `${parent}-${name}`))];
export const CLUSTERS = ['root', 'home', ...CONTENTS];
const SUBJECTS = ['g:staff', 'g:team', 'u:ann', 'u:bob', 'u:system:serviceaccount:default:robot'];
const ROLES = ['member', 'viewer'];
const CREATORS = ['ann', 'bob', 'system:serviceaccount:default:robot'];

/** One change of the facts. */
export interface Edit {
  readonly title: string;
  readonly apply: (writer: IndexWriter) => void;
  /** Takes out what it has put in, if it is still there. */
  readonly takeBack: (writer: IndexWriter) => void;
}

const shard = fc.constantFrom(...SHARDS);
const cluster = fc.constantFrom(...CLUSTERS);
const grantingCluster = fc.oneof({ weight: 4, arbitrary: cluster }, { weight: 1, arbitrary: fc.constant('system:admin') });
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 3 });

function edit(method: string, args: readonly unknown[]): Edit {
  const call = (writer: IndexWriter, given: readonly unknown[]): void =>
    (writer[method as keyof IndexWriter] as (...args: readonly unknown[]) => void)(...given);
  return {
    title: `${method}(${args.map(argument => JSON.stringify(argument) ?? 'undefined').join(', ')})`,
    apply: writer => call(writer, args),
    takeBack: writer => {
      if (method !== 'forgetShard') call(writer, [...args.slice(0, -1), undefined]);
    },
  };
}

const roleFacts = fc
  .record({
    access: fc.boolean(),
    getWorkspaces: fc.constantFrom('*', ['one'], ['two', 'one'], [], undefined),
  })
  .map(({ access, getWorkspaces }) => ({ access, ...(getWorkspaces !== undefined && { getWorkspaces }) }));

const roles = fc.tuple(shard, grantingCluster, fc.constantFrom(...ROLES), optional(roleFacts)).map(args => edit('role', args));

const bindingFacts = fc.record({ role: fc.constantFrom(...ROLES), subjects: fc.subarray(SUBJECTS) });

const bindings = fc
  .tuple(shard, grantingCluster, fc.constantFrom('first', 'second'), optional(bindingFacts))
  .map(args => edit('binding', args));

/** What the owner of a content would be. */
const ownerOf = (content: string): readonly [string, string] => {
  if (content === 'team') return ['root', 'team'];
  const [parent = '', name = ''] = content.split('-');
  return [parent, name];
};

const uid = fc.constantFrom('uid-1', 'uid-1', 'uid-1', 'uid-2');

const clusterFacts = fc.record({
  phase: fc.constantFrom('Ready', 'Ready', 'Ready', 'Initializing', 'Scheduling', 'Unavailable', ''),
  requiredGroups: fc.constantFrom(undefined, undefined, undefined, 'staff', 'staff,team;admins', ''),
  hasOwner: fc.constantFrom(true, true, true, true, false),
  uid,
});

const logicalClusters = fc.tuple(shard, cluster, optional(clusterFacts)).map(([where, name, facts]) => {
  const [parent, child] = ownerOf(name);
  return edit('logicalCluster', [
    where,
    name,
    facts && {
      phase: facts.phase,
      ...(facts.requiredGroups !== undefined && { requiredGroups: facts.requiredGroups }),
      ...(facts.hasOwner && name.includes('t') && name !== 'root' && { owner: { cluster: parent, name: child, uid: facts.uid } }),
    },
  ]);
});

const annotation = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom('no JSON', '7', '{}', '{"username":7}'),
  fc
    .tuple(fc.constantFrom(...CREATORS), fc.boolean())
    .map(([username, isLocal]) =>
      JSON.stringify({ username, uid: '1', ...(isLocal && { extra: { 'authentication.kcp.io/cluster-name': ['home'] } }) }),
    ),
);

const content = fc.record({
  uid,
  kind: fc.constantFrom('scheduled', 'scheduled', 'scheduled', 'elsewhere', 'new', 'mount', 'both'),
  phase: fc.constantFrom(undefined, 'Scheduling', 'Initializing', 'Ready', 'Ready', 'Deleting'),
  annotation,
  isLeaving: fc.constantFrom(false, false, true),
  revision: fc.constantFrom('a', 'b'),
});

type Content = typeof content extends fc.Arbitrary<infer T> ? T : never;

function workspaceObject(parent: string, name: string, given: Content): WorkspaceObject {
  const own = parent === 'root' && name === 'team' ? 'team' : `${parent}-${name}`;
  const named = { scheduled: own, both: own, elsewhere: 'root-one', new: undefined, mount: undefined }[given.kind];
  const isMount = given.kind === 'mount' || given.kind === 'both';
  return {
    metadata: {
      ...{
        name,
        uid: given.uid,
        annotations: { ...(given.annotation !== undefined && { 'experimental.tenancy.kcp.io/owner': given.annotation }) },
      },
      // The same object has the same version, another one another.
      resourceVersion: JSON.stringify(given),
      ...(given.isLeaving && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    },
    spec: { ...(named && { cluster: named }), ...(isMount && { mount: { ref: { name: 'elsewhere' } } }) },
    ...(given.phase !== undefined && { status: { phase: given.phase } }),
  };
}

const workspaces = fc
  .tuple(shard, fc.constantFrom(...PARENTS), fc.constantFrom(...NAMES), optional(content))
  .map(([where, parent, name, given]) => edit('workspace', [where, parent, name, given && workspaceObject(parent, name, given)]));

const forgotten = shard.map(name => edit('forgetShard', [name]));

export const edits = fc.oneof(
  { weight: 3, arbitrary: roles },
  { weight: 4, arbitrary: bindings },
  { weight: 4, arbitrary: logicalClusters },
  { weight: 5, arbitrary: workspaces },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 2, 3).chain(luck => (luck === 0 ? forgotten : bindings)) },
);

/** Everything that makes an ordinary start: without it most random worlds are empty. */
const START: readonly Edit[] = [
  ...SHARDS.map(name => edit('role', [name, 'system:admin', 'member', { access: true, getWorkspaces: '*' }])),
  edit('logicalCluster', ['alpha', 'root', { phase: 'Ready' }]),
  edit('binding', ['alpha', 'root', 'first', { role: 'viewer', subjects: ['u:ann', 'g:team'] }]),
  edit('binding', ['alpha', 'system:admin', 'first', { role: 'viewer', subjects: ['u:bob', 'g:team'] }]),
  ...CONTENTS.flatMap((name, index) => {
    const [parent, child] = ownerOf(name);
    const where = SHARDS[index % 2];
    const given: Content = {
      ...{
        uid: 'uid-1',
        kind: index === 1 ? 'mount' : 'scheduled',
        phase: 'Ready',
        annotation: undefined,
        isLeaving: false,
        revision: 'a',
      },
    };
    return [
      edit('logicalCluster', [where, name, { phase: 'Ready', owner: { cluster: parent, name: child, uid: 'uid-1' } }]),
      edit('workspace', ['alpha', parent, child, workspaceObject(parent, child, given)]),
      edit('binding', [where, name, 'first', { role: 'member', subjects: [SUBJECTS[index % 5], 'u:ann'] }]),
    ];
  }),
];

/** Batches, one after the other; the first may be a whole world. */
export const histories = fc
  .tuple(
    fc.boolean(),
    fc.array(fc.oneof({ weight: 2, arbitrary: fc.tuple(edits) }, fc.array(edits, { minLength: 2, maxLength: 6 })), {
      maxLength: 20,
    }),
  )
  .map(([isFull, batches]): readonly (readonly Edit[])[] => (isFull ? [START, ...batches] : batches));

export const interests: fc.Arbitrary<Interest> = fc
  .record({
    parent: optional(fc.constantFrom(...PARENTS)),
    subjects: optional(fc.subarray(SUBJECTS)),
    clusters: optional(fc.subarray(CLUSTERS, { maxLength: 2 })),
    creator: optional(fc.constantFrom(...CREATORS)),
  })
  .map(({ parent, subjects, clusters, creator }) => ({
    ...(parent !== undefined && { parent }),
    ...(subjects && { subjects }),
    ...(clusters && { clusters }),
    ...(creator !== undefined && { creator }),
  }));
