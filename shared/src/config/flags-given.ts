import { FLAGS } from './flags-table.ts';
import { UsageError, type Value, type ValueType, type ValueTypes } from './flags-values.ts';

/** Parsed values by flag; the types are those of the table. */
export class Values {
  readonly #values: ReadonlyMap<string, Value>;
  constructor(values: ReadonlyMap<string, Value>) {
    this.#values = values;
  }
  get<T extends ValueType>(type: T, name: string): ValueTypes[T] | undefined {
    if (FLAGS.get(name)?.type !== type) throw new Error(`--${name} is not in the table as ${type}`);
    return this.#values.get(name) as ValueTypes[T] | undefined;
  }
  /** Of a flag with a default. */
  require<T extends ValueType>(type: T, name: string): ValueTypes[T] {
    const value = this.get(type, name);
    if (value === undefined || value === '') throw new UsageError(`--${name} is required`);
    return value;
  }
  oneOf<C extends string>(name: string, choices: readonly C[]): C {
    const text = this.require('text', name);
    const choice = choices.find(candidate => candidate === text);
    if (choice === undefined) {
      throw new UsageError(`--${name} takes ${choices.join(' or ')}, not ${JSON.stringify(text)}`);
    }
    return choice;
  }
}

/** `{[key]: value}`, or nothing for an absent or empty value, which Kubernetes takes as not given. */
export const optional = <K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } =>
  (value ? { [key]: value } : {}) as { readonly [P in K]?: string };
