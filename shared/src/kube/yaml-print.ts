import { DUMP_SCHEMA, defineScalarTag, dump, NOT_RESOLVED } from 'js-yaml';
import { exactDigits } from './json-exact.ts';

/** Integers, those of `parseExact` among them. What some reader of YAML could take for one is quoted. */
const INTEGER = defineScalarTag('tag:yaml.org,2002:int', {
  implicit: true,
  resolve: source => (/^[-+]?[0-9][0-9_:]*$|^[-+]?0[box]/i.test(source) ? source : NOT_RESOLVED),
  identify: value => Number.isInteger(value) || exactDigits(value) !== undefined,
  represent: value => exactDigits(value) ?? String(BigInt(value)),
});
const SCHEMA = DUMP_SCHEMA.withTags(INTEGER);

/** A value of JSON in YAML as Kubernetes API servers write it: keys in their order by alphabet, no line folded. */
export const printYaml = (value: unknown): string => dump(value, { schema: SCHEMA, sortKeys: true, lineWidth: -1 });
