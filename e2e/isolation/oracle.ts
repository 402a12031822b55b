import type { Claimable, Consumer, Decision, Labels, Resource, Selector, Verb, World } from './world.ts';

/** One object that is stored, as the oracle knows it. */
export interface Stored {
  readonly consumer: number;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
}

/** Which kind of objects a resource of an export stands for. */
export type Kind = keyof Consumer['objects'];
export const kindOf = (exported: number, resource: Resource): Kind => {
  if (resource === 'own') return exported === 0 ? '0' : '1';
  if (resource === 'other') return exported === 0 ? '1' : '0';
  return resource;
};

/** What the outcome of a request has to be: a status, and of a successful read the names that it shows. */
export interface Question {
  readonly caller: number;
  readonly exported: number;
  readonly resource: Resource;
  readonly verb: Verb;
  /** Undefined: all logical clusters. */
  readonly consumer?: number;
}

/**
 * Who may see and change what, told from the world's decisions alone, in as plain a way as it can be said. It knows nothing of labels that a
 * shard puts on objects, of identities or of how the view is made.
 */
export class Oracle {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Whether the view lets the request pass at all. */
  allows({ caller, exported, resource, verb, consumer }: Question): boolean {
    const asked = this.#world.exports[exported];
    if (consumer !== undefined && !this.#invited(consumer, exported, resource, verb)) return false;
    if (!this.#world.callers[caller]?.content[exported]?.includes(verb)) return false;
    if (resource !== 'other' || asked?.claims.other === undefined) return true;
    const policy = this.#world.exports[1 - exported]?.policy;
    return policy === undefined || policy[caller]?.includes(verb) === true;
  }

  /** Whether the export's view has the resource. */
  serves(exported: number, resource: Resource): boolean {
    return resource === 'own' || this.#world.exports[exported]?.claims[resource] !== undefined;
  }

  /** Whether an object is the export's to see. */
  sees(exported: number, resource: Resource, { consumer, labels }: Pick<Stored, 'consumer' | 'labels'>): boolean {
    if (this.#world.consumers[consumer]?.bindings[exported] === undefined) return false;
    if (resource === 'own') return true;
    const decision = this.decision(consumer, exported, resource);
    return decision?.accepted === true && matches(decision.selector, labels);
  }

  /** The labels that an object ends up with when it is written, or undefined when it may not be written so. */
  written(exported: number, resource: Resource, consumer: number, labels: Labels): Labels | undefined {
    if (resource === 'own') return labels;
    const decision = this.decision(consumer, exported, resource);
    if (decision?.accepted !== true) return undefined;
    const { selector } = decision;
    const completed = 'matchLabels' in selector ? { ...selector.matchLabels, ...labels } : labels;
    return matches(selector, completed) ? completed : undefined;
  }

  /** What a consumer says to a claim that there is. */
  decision(consumer: number, exported: number, resource: Claimable): Decision | undefined {
    if (this.#world.exports[exported]?.claims[resource] === undefined) return undefined;
    return this.#world.consumers[consumer]?.bindings[exported]?.[resource];
  }

  #invited(consumer: number, exported: number, resource: Resource, verb: Verb): boolean {
    if (this.#world.consumers[consumer]?.bindings[exported] === undefined) return false;
    if (resource === 'own') return true;
    const asked = this.#world.exports[exported]?.claims[resource]?.verbs ?? [];
    const decision = this.decision(consumer, exported, resource);
    const agreed = decision?.accepted ? decision.verbs.filter(one => asked.includes(one)) : [];
    return agreed.includes(verb) || agreed.includes('*');
  }
}

function matches(selector: Selector, labels: Labels): boolean {
  if ('matchAll' in selector) return true;
  if ('matchLabels' in selector) return Object.entries(selector.matchLabels).every(([key, value]) => labels[key] === value);
  return selector.matchExpressions.every(({ key, operator, values = [] }) => {
    const value = labels[key];
    if (operator === 'Exists') return value !== undefined;
    if (operator === 'DoesNotExist') return value === undefined;
    const isOne = value !== undefined && values.includes(value);
    return operator === 'In' ? isOne : !isOne;
  });
}
