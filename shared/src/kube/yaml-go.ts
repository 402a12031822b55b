import {
  defineScalarTag,
  FAILSAFE_SCHEMA,
  loadAll,
  mergeTag,
  NOT_RESOLVED,
  type ScalarTagDefinition,
  type Schema,
  YAMLException,
} from 'js-yaml';
import { exactNumber } from './json-exact.ts';

/**
 * YAML as Kubernetes API servers read it (sigs.k8s.io/yaml): scalars mostly as in YAML 1.1, so that `on` is true and `0777` is 511;
 * sexagesimal numbers and times are texts. Of several documents the first counts, of a key that is repeated the last.
 *
 * Returns the first document's value (undefined: there is none), or why the text is no YAML. Integers beyond 53 bits keep their digits
 * when the value is written as JSON. `!!binary` is not known here.
 */
export function parseYaml(text: string): { readonly value: unknown } | { readonly error: string } {
  try {
    const [value] = loadAll(text, { schema: SCHEMA, json: true, maxDepth: MAX_DEPTH });
    return expandsTooFar(value, text.length) ? { error: 'yaml: document contains excessive aliasing' } : { value };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = error.mark === undefined ? '' : `line ${error.mark.line + 1}: `;
    return { error: `yaml: ${line}${error.reason}` };
  }
}

/** Levels of maps and lists, with those that aliases stand for. Go takes 10,000; what is read here is printed again by recursion. */
const MAX_DEPTH = 500;

const scalar = (tag: string, read: (source: string) => unknown): ScalarTagDefinition =>
  defineScalarTag(`tag:yaml.org,2002:${tag}`, {
    implicit: true,
    resolve: source => {
      const value = read(source);
      return value === undefined ? NOT_RESOLVED : value;
    },
    // Nothing is written with this schema.
    identify: () => false,
  });

const NULLS: ReadonlySet<string> = new Set(['', '~', 'null', 'Null', 'NULL']);
const TRUES: ReadonlySet<string> = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']);
const FALSES: ReadonlySet<string> = new Set(['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF']);

const readNull = (source: string): null | undefined => (NULLS.has(source) ? null : undefined);
const readBoolean = (source: string): boolean | undefined => (TRUES.has(source) ? true : FALSES.has(source) ? false : undefined);

const DECIMAL = /^[+-]?(0|[1-9][0-9]*)$/;
const PREFIXED = /^([+-]?)0([xob])([0-9a-f]+)$/i;
const OCTAL = /^([+-]?)0([0-7]+)$/;
const FLOAT = /^[+-]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)(e[+-]?[0-9]+)?$/i;
const INT64_BITS = 64;

/** Underscores may stand between digits anywhere. */
function readNumber(source: string): unknown {
  if (!/^[+-]?[0-9.]/.test(source)) return undefined;
  const digits = source.replaceAll('_', '');
  const integer = readInteger(digits);
  if (integer !== undefined) return integer;
  if (!FLOAT.test(digits)) return undefined;
  const value = Number(digits);
  // What no float64 holds is a text.
  return Number.isFinite(value) ? value : undefined;
}

function readInteger(digits: string): unknown {
  if (DECIMAL.test(digits)) return int64(digits.startsWith('+') ? digits.slice(1) : digits);
  const [, sign = '', base = '', prefixed = ''] = PREFIXED.exec(digits) ?? [];
  if (base !== '' && isOfBase(base, prefixed)) return int64(sign, `0${base.toLowerCase()}${prefixed}`);
  const [, octalSign = '', octal] = OCTAL.exec(digits) ?? [];
  return octal === undefined ? undefined : int64(octalSign, `0o${octal}`);
}

const isOfBase = (base: string, digits: string): boolean =>
  base === 'b' || base === 'B' ? /^[01]+$/.test(digits) : base === 'o' || base === 'O' ? /^[0-7]+$/.test(digits) : true;

function int64(sign: string, magnitude = ''): unknown {
  const value = magnitude === '' ? BigInt(sign) : BigInt(magnitude) * (sign === '-' ? -1n : 1n);
  const fits = BigInt.asIntN(INT64_BITS, value) === value || BigInt.asUintN(INT64_BITS, value) === value;
  return fits ? exactNumber(String(value)) : undefined;
}

const SCHEMA: Schema = FAILSAFE_SCHEMA.withTags(
  mergeTag,
  scalar('null', readNull),
  scalar('bool', readBoolean),
  scalar('int', source => readInteger(source.replaceAll('_', ''))),
  scalar('float', readNumber),
);

/** An alias stands for all of its node: a few lines can say gigabytes, and an anchor in an anchor in an anchor be deeper than any text. */
const MAX_EXPANSION = 4 * 1024 * 1024;

function expandsTooFar(value: unknown, length: number): boolean {
  let left = MAX_EXPANSION + 2 * length;
  const waiting: unknown[] = [value];
  const depths = [0];
  while (waiting.length > 0 && left > 0) {
    const one = waiting.pop();
    const depth = (depths.pop() ?? 0) + 1;
    left -= 1;
    if (typeof one === 'string') left -= one.length;
    if (typeof one !== 'object' || one === null) continue;
    if (depth > MAX_DEPTH) return true;
    for (const [key, member] of Object.entries(one)) {
      left -= key.length;
      waiting.push(member);
      depths.push(depth);
      if (left <= 0) break;
    }
  }
  return left <= 0;
}
