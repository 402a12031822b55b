import { badRequest } from './errors.ts';
import type { KubeObject } from './objects.ts';

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** Requirements that all hold. Empty: everything. */
export type FieldSelector = readonly FieldRequirement[];

/** The fields that may be selected by, each with how it is read from an object; a field that is not set reads as empty. */
export type SelectableFields = Readonly<Record<string, (object: KubeObject) => string>>;

/** What every resource supports. Cluster-scoped ones do without `metadata.namespace` (`CLUSTER_SCOPED_FIELDS`). */
export const CLUSTER_SCOPED_FIELDS: SelectableFields = Object.freeze({
  'metadata.name': (object: KubeObject) => object.metadata?.name ?? '',
});
export const METADATA_FIELDS: SelectableFields = Object.freeze({
  ...CLUSTER_SCOPED_FIELDS,
  'metadata.namespace': (object: KubeObject) => object.metadata?.namespace ?? '',
});

/** Longest first, so that `==` does not leave a `=` in the value. */
const OPERATORS = ['!=', '==', '='] as const;

/**
 * Parses a field selector as k8s.io/apimachinery/pkg/fields does: `metadata.name=a,spec.x!=b`, with `\` before `\`, `,` and `=` in values.
 * With `fields`, every field must be one of them. Throws a StatusError 400 with Kubernetes' text.
 */
export function parseFieldSelector(text: string, fields?: SelectableFields): FieldSelector {
  const terms = splitTerms(text).sort();
  const parsed = terms.filter(term => term !== '').map(term => parseTerm(text, term));
  // A term without field and value (`=`, `!=`) demands nothing in Kubernetes.
  const selector = parsed.filter(({ field, value }) => field !== '' || value !== '');
  for (const { field } of selector) {
    if (fields !== undefined && !Object.hasOwn(fields, field)) throw badRequest(`field label not supported: ${field}`);
  }
  return Object.freeze(selector);
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === ',') {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function parseTerm(text: string, term: string): FieldRequirement {
  for (let i = 0; i < term.length; i++) {
    const sign = OPERATORS.find(operator => term.startsWith(operator, i));
    if (sign !== undefined) {
      const value = unescapeValue(term.slice(i + sign.length));
      return Object.freeze({ field: term.slice(0, i), operator: sign === '!=' ? sign : '=', value });
    }
  }
  throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
}

function unescapeValue(raw: string): string {
  let value = '';
  const characters = [...raw];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? '';
    if (character === ',' || character === '=') {
      throw badRequest(`invalid field selector: unescaped character in value: ${character.codePointAt(0)}`);
    }
    if (character !== '\\') {
      value += character;
      continue;
    }
    const escaped = characters[++i] ?? '';
    if (escaped === '' || !'\\,='.includes(escaped)) {
      throw badRequest(`invalid field selector: invalid escape sequence: \\${escaped}`);
    }
    value += escaped;
  }
  return value;
}

/** Whether an object meets every requirement. A field that `fields` does not know reads as empty. */
export function matchesFields(selector: FieldSelector, object: KubeObject, fields: SelectableFields = METADATA_FIELDS): boolean {
  return selector.every(({ field, operator, value }) => {
    const read = Object.hasOwn(fields, field) ? fields[field] : undefined;
    return ((read?.(object) ?? '') === value) === (operator === '=');
  });
}

/** The value that the selector demands of a field; undefined when it demands no single one (Kubernetes' `RequiresExactMatch`). */
export function requiredFieldValue(selector: FieldSelector, field: string): string | undefined {
  return selector.find(one => one.field === field && one.operator === '=')?.value;
}

/** The selector as text, values escaped. */
export function formatFieldSelector(selector: FieldSelector): string {
  return selector.map(({ field, operator, value }) => `${field}${operator}${value.replace(/[\\,=]/g, '\\$&')}`).join(',');
}
