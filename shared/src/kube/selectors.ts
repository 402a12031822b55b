import { badRequest } from './errors.ts';
import { parseInt64 } from './int64.ts';
import { labelKeyErrors, labelValueErrors } from './label-names.ts';

/** The operators of k8s.io/apimachinery/pkg/selection, by their names there. */
export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  /** Sorted, without duplicates; one for the operators that compare, none for `exists` and `!`. */
  readonly values: readonly string[];
}

/** Requirements that all hold, sorted by key. Empty: everything. */
export type LabelSelector = readonly LabelRequirement[];

const BINARY_OPERATORS = ['in', 'notin', '=', '==', '!=', 'gt', 'lt'] as const;
type BinaryOperator = (typeof BINARY_OPERATORS)[number];

/** Tokens that are operators; `>` and `<` have other names in `selection`. */
const OPERATOR_TOKENS: Readonly<Record<string, BinaryOperator>> = {
  in: 'in',
  notin: 'notin',
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
};

const TOKEN = /[ \t\r\n]+|==|!=|[=!(),<>]|[^=!(),<> \t\r\n]+/g;
const SYMBOL = /^[=!(),<>]/;

/** `word` is a key or value; symbols are their own kind; `end` follows the last token for ever. */
interface Token {
  readonly kind: 'word' | 'symbol' | 'end';
  readonly text: string;
}
const END: Token = { kind: 'end', text: '' };

function tokens(text: string): Token[] {
  const found = text.match(TOKEN) ?? [];
  return found.filter(token => token.trim() !== '').map(token => ({ kind: SYMBOL.test(token) ? 'symbol' : 'word', text: token }));
}

const isSymbol = (token: Token, ...symbols: string[]): boolean => token.kind === 'symbol' && symbols.includes(token.text);
const endsRequirement = (token: Token): boolean => token.kind === 'end' || isSymbol(token, ',');

/**
 * Parses a label selector as k8s.io/apimachinery/pkg/labels does: `a=b,c!=d,e in (f,g),h notin (),i,!j,k>1,l<2`.
 * Throws a StatusError 400 with Kubernetes' text.
 */
export function parseLabelSelector(text: string): LabelSelector {
  // Go's lexer takes a NUL for the end of the text: whatever stands behind one would select here and not on the shard.
  if (text.includes('\0')) throw badRequest('a label selector must not contain a NUL character');
  const parser = new Parser(tokens(text));
  return Object.freeze(parser.selector().sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)));
}

/** Recursive descent over the tokens; the names and texts of the rules are those of Kubernetes' parser. */
class Parser {
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(list: readonly Token[]) {
    this.#tokens = list;
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? END;
  }

  #next(): Token {
    const token = this.#peek();
    this.#position++;
    return token;
  }

  selector(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    if (this.#peek().kind === 'end') return requirements;
    for (;;) {
      const first = this.#peek();
      if (first.kind !== 'word' && !isSymbol(first, '!')) {
        const expected = requirements.length === 0 ? "!, identifier, or 'end of string'" : "identifier after ','";
        throw badRequest(`found '${first.text}', expected: ${expected}`);
      }
      requirements.push(this.#requirement());
      const separator = this.#next();
      if (separator.kind === 'end') return requirements;
      if (!isSymbol(separator, ',')) throw badRequest(`found '${separator.text}', expected: ',' or 'end of string'`);
    }
  }

  #requirement(): LabelRequirement {
    const absent = isSymbol(this.#peek(), '!');
    if (absent) this.#next();
    const key = this.#next();
    if (key.kind !== 'word') throw unparsable(`found '${key.text}', expected: identifier`);
    const wrong = labelKeyErrors(key.text);
    if (wrong.length > 0) throw unparsable(`<nil>: Invalid value: ${JSON.stringify(key.text)}: ${wrong.join('; ')}`);
    if (absent) return requirement(key.text, '!', []);
    if (endsRequirement(this.#peek())) return requirement(key.text, 'exists', []);
    const operator = this.#operator();
    return requirement(key.text, operator, operator === 'in' || operator === 'notin' ? this.#values() : [this.#exactValue()]);
  }

  #operator(): BinaryOperator {
    const { text } = this.#next();
    const operator = Object.hasOwn(OPERATOR_TOKENS, text) ? OPERATOR_TOKENS[text] : undefined;
    if (operator === undefined) throw unparsable(`found '${text}', expected: ${BINARY_OPERATORS.join(', ')}`);
    return operator;
  }

  #exactValue(): string {
    if (endsRequirement(this.#peek())) return '';
    const value = this.#next();
    if (value.kind !== 'word') throw unparsable(`found '${value.text}', expected: identifier`);
    return value.text;
  }

  /** `(a,b)`; a missing value is the empty one: `()`, `(,a)`, `(a,)`. */
  #values(): string[] {
    const open = this.#next();
    if (!isSymbol(open, '(')) throw unparsable(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.kind !== 'word' && !isSymbol(first, ',', ')')) {
      throw unparsable(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values: string[] = [];
    for (;;) {
      values.push(this.#peek().kind === 'word' ? this.#next().text : '');
      const after = this.#next();
      if (isSymbol(after, ')')) return values;
      if (!isSymbol(after, ',')) {
        const expected = values.at(-1) === '' ? "',', or identifier" : "',' or ')'";
        throw unparsable(`found '${after.text}', expected: ${expected}`);
      }
    }
  }
}

const unparsable = (reason: string): Error => badRequest(`unable to parse requirement: ${reason}`);

function requirement(key: string, operator: LabelOperator, given: readonly string[]): LabelRequirement {
  const values = [...new Set(given)].sort();
  const errors: string[] = [];
  const wrong = (field: string, value: string, detail: string): void => {
    errors.push(`${field}: Invalid value: ${JSON.stringify(value)}: ${detail}`);
  };
  for (const [i, value] of values.entries()) {
    if ((operator === 'gt' || operator === 'lt') && parseInt64(value) === undefined) {
      wrong(`values[${i}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer");
    }
  }
  for (const [i, value] of values.entries()) {
    const invalid = labelValueErrors(value);
    if (invalid.length > 0) wrong(`values[${i}][${key}]`, value, invalid.join('; '));
  }
  if (errors.length > 0) throw unparsable(errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`);
  return Object.freeze({ key, operator, values: Object.freeze(values) });
}

export type Labels = Readonly<Record<string, string>>;

function holds({ operator, values }: LabelRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case '=':
    case '==':
    case 'in':
      return value !== undefined && values.includes(value);
    // A label that is not there is not one of the values.
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'gt':
    case 'lt': {
      const [is, limit] = [parseInt64(value ?? ''), parseInt64(values[0] ?? '')];
      return is !== undefined && limit !== undefined && (operator === 'gt' ? is > limit : is < limit);
    }
  }
}

/** Whether labels meet every requirement. An object without labels meets those that ask for absence. */
export function matchesLabels(selector: LabelSelector, labels: Labels | undefined): boolean {
  // `constructor` is a valid label key: only own properties are labels.
  return selector.every(one => holds(one, labels !== undefined && Object.hasOwn(labels, one.key) ? labels[one.key] : undefined));
}

const SIGNS: Readonly<Record<'=' | '==' | '!=' | 'gt' | 'lt', string>> = { '=': '=', '==': '==', '!=': '!=', gt: '>', lt: '<' };

/** The selector as text, which `parseLabelSelector` and every API server read back. */
export function formatLabelSelector(selector: LabelSelector): string {
  return selector.map(formatRequirement).join(',');
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  if (operator === 'exists') return key;
  if (operator === '!') return `!${key}`;
  const list = values.join(',');
  return operator === 'in' || operator === 'notin' ? `${key} ${operator} (${list})` : `${key}${SIGNS[operator]}${list}`;
}
