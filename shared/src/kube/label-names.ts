/** What may be a label's key and value, with the sentences of k8s.io/apimachinery (`IsLabelKey`, `IsLabelValue`). */

const NAME_FORMAT = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const VALUE_FORMAT = `(${NAME_FORMAT})?`;
const DNS_LABEL_FORMAT = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const DNS_SUBDOMAIN_FORMAT = `${DNS_LABEL_FORMAT}(\\.${DNS_LABEL_FORMAT})*`;

const NAME = new RegExp(`^${NAME_FORMAT}$`);
const VALUE = new RegExp(`^${VALUE_FORMAT}$`);
const DNS_SUBDOMAIN = new RegExp(`^${DNS_SUBDOMAIN_FORMAT}$`);

const MAX_NAME_BYTES = 63;
const MAX_VALUE_BYTES = 63;
const MAX_SUBDOMAIN_BYTES = 253;

/** Go's `RegexError`, whose two blanks before `or` are in every API server's messages. */
const mustMatch = (sentence: string, format: string, ...examples: string[]): string =>
  `${sentence} (e.g. ${examples.map(example => `'${example}', `).join(' or ')}regex used for validation is '${format}')`;

const NAME_SENTENCE = mustMatch(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  NAME_FORMAT,
  'MyName',
  'my.name',
  '123-abc',
);
const VALUE_SENTENCE = mustMatch(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  VALUE_FORMAT,
  'MyValue',
  'my_value',
  '12345',
);
const SUBDOMAIN_SENTENCE = mustMatch(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  DNS_SUBDOMAIN_FORMAT,
  'example.com',
);

const tooLong = (text: string, limit: number): string[] =>
  Buffer.byteLength(text) > limit ? [`must be no more than ${limit} bytes`] : [];

/** What is wrong with a label key, `[prefix/]name`; empty when nothing is. */
export function labelKeyErrors(key: string): string[] {
  const parts = key.split('/');
  if (parts.length > 2)
    return [`a valid label key ${NAME_SENTENCE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const errors: string[] = [];
  const name = parts.at(-1) ?? '';
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    const wrong = prefix === '' ? ['must be non-empty'] : subdomainErrors(prefix);
    errors.push(...wrong.map(error => `prefix part ${error}`));
  }
  const length = name === '' ? ['must be non-empty'] : tooLong(name, MAX_NAME_BYTES);
  errors.push(...length.map(error => `name part ${error}`));
  if (!NAME.test(name)) errors.push(`name part ${NAME_SENTENCE}`);
  return errors;
}

/** What is wrong with a label value; empty when nothing is. */
export function labelValueErrors(value: string): string[] {
  return [...tooLong(value, MAX_VALUE_BYTES), ...(VALUE.test(value) ? [] : [VALUE_SENTENCE])];
}

function subdomainErrors(text: string): string[] {
  return [...tooLong(text, MAX_SUBDOMAIN_BYTES), ...(DNS_SUBDOMAIN.test(text) ? [] : [SUBDOMAIN_SENTENCE])];
}
