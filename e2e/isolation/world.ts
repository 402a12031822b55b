import fc from 'fast-check';

/**
 * A small world of providers and consumers, as data: two exports that each offer a resource and claim others (the second's resource among
 * them), workspaces that bind them or do not, objects with labels, and two callers with some rights.
 */
export interface World {
  readonly exports: readonly [Export, Export];
  readonly consumers: readonly Consumer[];
  readonly callers: readonly Caller[];
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'patch' | 'delete' | 'deletecollection';
export const VERBS: readonly Verb[] = ['get', 'list', 'watch', 'create', 'patch', 'delete', 'deletecollection'];

/** What is asked for: `own` is the resource that the asked export offers, `other` that of the other export. */
export type Resource = 'own' | 'other' | 'configmaps' | 'secrets';
export const RESOURCES: readonly Resource[] = ['own', 'other', 'configmaps', 'secrets'];
export type Claimable = Exclude<Resource, 'own'>;

export interface Export {
  readonly claims: Partial<Readonly<Record<Claimable, { readonly verbs: readonly (Verb | '*')[] }>>>;
  /** A maximal permission policy: the verbs that each caller has by it. */
  readonly policy?: readonly (readonly Verb[])[];
}

export type Labels = Readonly<Record<string, string>>;

export type Selector =
  | { readonly matchAll: true }
  | { readonly matchLabels: Labels }
  | {
      readonly matchExpressions: readonly {
        key: string;
        operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
        values?: string[];
      }[];
    };

export interface Decision {
  readonly accepted: boolean;
  readonly verbs: readonly (Verb | '*')[];
  readonly selector: Selector;
}

export interface Consumer {
  /** For each export: undefined where it is not bound. A claim without a decision is not answered. */
  readonly bindings: readonly ({ readonly [claim in Claimable]?: Decision } | undefined)[];
  /** By kind: `0` and `1` are the resources that the exports offer. */
  readonly objects: Readonly<Record<'0' | '1' | 'configmaps' | 'secrets', readonly Labels[]>>;
}

export interface Caller {
  /** For each export: verbs on its content. */
  readonly content: readonly (readonly Verb[])[];
}

const TEAMS = ['red', 'blue'];
const labels = fc.record({ team: fc.constantFrom(...TEAMS), stage: fc.constantFrom('test', 'live') }, { requiredKeys: [] });
const someVerbs = fc.oneof({ weight: 2, arbitrary: fc.constant([...VERBS]) }, { weight: 1, arbitrary: fc.subarray([...VERBS]) });
const claimVerbs = fc.oneof(
  { weight: 3, arbitrary: fc.subarray([...VERBS], { minLength: 1 }) },
  { weight: 2, arbitrary: fc.constant([...VERBS]) },
  { weight: 1, arbitrary: fc.constant<(Verb | '*')[]>(['*']) },
);

const expression = fc.oneof(
  fc.record({ key: fc.constantFrom('team', 'stage'), operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const) }),
  fc.record({
    key: fc.constant('team'),
    operator: fc.constantFrom('In' as const, 'NotIn' as const),
    values: fc.subarray([...TEAMS], { minLength: 1 }),
  }),
);
const selector: fc.Arbitrary<Selector> = fc.oneof(
  fc.constant({ matchAll: true as const }),
  labels.filter(one => Object.keys(one).length > 0).map(matchLabels => ({ matchLabels: matchLabels as Labels })),
  fc.array(expression, { minLength: 1, maxLength: 2 }).map(matchExpressions => ({ matchExpressions })),
);

const decision: fc.Arbitrary<Decision> = fc.record({
  accepted: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  verbs: claimVerbs,
  selector,
});

const claims = fc.record(
  {
    configmaps: fc.record({ verbs: claimVerbs }),
    secrets: fc.record({ verbs: claimVerbs }),
    other: fc.record({ verbs: claimVerbs }),
  },
  { requiredKeys: [] },
);
const objects = fc.array(labels as fc.Arbitrary<Labels>, { maxLength: 3 });

const exported: fc.Arbitrary<Export> = fc.record(
  { claims, policy: fc.tuple(someVerbs, someVerbs) },
  { requiredKeys: ['claims'] },
);
/** Decisions are drawn for every claim; those about what an export does not claim are never made. */
const binding = fc.option(fc.record({ configmaps: decision, secrets: decision, other: decision }, { requiredKeys: [] }), {
  nil: undefined,
  freq: 4,
});

export const world: fc.Arbitrary<World> = fc
  .record({
    exports: fc.tuple(exported, exported),
    consumers: fc.array(
      fc.record({
        bindings: fc.tuple(binding, binding),
        objects: fc.record({ 0: objects, 1: objects, configmaps: objects, secrets: objects }),
      }),
      { minLength: 2, maxLength: 3 },
    ),
    callers: fc.tuple(
      fc.record({ content: fc.tuple(someVerbs, someVerbs) }),
      fc.record({ content: fc.tuple(someVerbs, someVerbs) }),
    ),
  })
  .map(drawn => drawn as unknown as World);
