import { badRequest, type StatusError } from './errors.ts';
import { parseExact } from './json-exact.ts';
import { YAML_MEDIA_TYPE } from './media-type.ts';
import { parseYaml } from './yaml-go.ts';

/**
 * The object in a JSON or YAML body, or why there is none, in the words of Kubernetes. `null` and an empty YAML are an object without
 * fields, as for Go's decoder.
 */
export function parseBodyText(
  type: string,
  body: Uint8Array,
): { readonly object: Record<string, unknown> } | { readonly error: string } {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  const parsed = type === YAML_MEDIA_TYPE ? parseYaml(text) : parseJson(text);
  if ('error' in parsed) return parsed;
  const value = parsed.value ?? {};
  if (typeof value === 'object' && !Array.isArray(value)) return { object: value as Record<string, unknown> };
  return { error: `${NO_JSON}json: cannot unmarshal ${goTypeOf(value)} into Go value of type ${TYPE_META}` };
}

/** 400: a body that cannot be taken for an object of the kind at all. */
export const unrecognized = (kind: string, why: string, body: Uint8Array): StatusError =>
  badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(body)})`);

/** What Go's JSON decoder calls a value. */
export function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return value === null ? 'null' : typeof value;
}

const NO_JSON = "couldn't get version/kind; json parse error: ";
const TYPE_META = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

function parseJson(text: string): { readonly value: unknown } | { readonly error: string } {
  if (isTooDeep(text)) return { error: `${NO_JSON}exceeded max depth` };
  try {
    return { value: parseExact(text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { error: `${NO_JSON}${isCutOff(text) ? 'unexpected end of JSON input' : `invalid JSON: ${error.message}`}` };
  }
}

/** Levels of arrays and objects. Go takes 10,000; what is read here is read and printed by recursion, which would end at some 2,500. */
const MAX_DEPTH = 1000;

/** Counts brackets outside of strings; of what is no JSON somebody else will say so. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '}' || character === ']') depth -= 1;
    else if ((character === '{' || character === '[') && ++depth > MAX_DEPTH) return true;
  }
  return false;
}

/** Where the quote is that ends the string which begins at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '"') return at;
    if (text[at] === '\\') at += 1;
  }
  return text.length;
}

/** Brackets that are never closed: more text could have made it JSON. */
const isCutOff = (text: string): boolean =>
  text.trim() === '' || (text.match(/[{[]/g) ?? []).length > (text.match(/[}\]]/g) ?? []).length;

const SUMMARY_BYTES = 30;

/** `summarizeData` of k8s.io/apiserver: the beginning of a JSON object as it is, of anything else in hexadecimal. */
function summary(body: Uint8Array): string {
  if (body.length === 0) return '<empty>';
  const start = Buffer.from(body.subarray(0, SUMMARY_BYTES));
  const shown = start[0] === 0x7b ? start.toString() : start.toString('hex');
  return body.length > SUMMARY_BYTES ? `${shown} ...` : shown;
}
