import { badRequest, unsupportedMediaType } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValue } from '@kcp-vw/shared/listener/headers.ts';
import { CORE_SCHEMA, load, YAMLException } from 'js-yaml';
import type { ResourceCall } from './call.ts';
import { accepted, unrecognized } from './refusals.ts';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export async function readText({ body }: Exchange): Promise<string> {
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString();
}

/** The media type of a body without its parameters; JSON when the caller names none. */
export const contentType = ({ headers }: Exchange): string =>
  (headerValue(headers, 'content-type') ?? 'application/json').split(';', 1)[0]?.trim().toLowerCase() || 'application/json';

/** A JSON value, or why it is none: a text that is cut off is told in the words of Go's parser, which clients look for. */
export function parseJson(text: string): { readonly value: unknown } | { readonly error: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { error: isCutOff(text) ? 'unexpected end of JSON input' : `invalid JSON: ${error.message}` };
  }
}

/** Brackets that are never closed: more text could have made it JSON. */
const isCutOff = (text: string): boolean =>
  text.trim() === '' || (text.match(/[{[]/g) ?? []).length > (text.match(/[}\]]/g) ?? []).length;

/** YAML, which JSON is a part of. */
export function parseYaml(text: string): { readonly value: unknown } | { readonly error: string } {
  try {
    return { value: load(text, { schema: CORE_SCHEMA }) };
  } catch (error) {
    if (error instanceof YAMLException) return { error: error.reason };
    throw error;
  }
}

/** The object in the body of a create or update. Throws a StatusError: 415, or 400 for what is not an object of the resource's kind. */
export async function readObject(call: ResourceCall): Promise<KubeObject> {
  const { exchange, definition } = call;
  const type = contentType(exchange);
  if (type !== 'application/json' && type !== 'application/yaml') throw unsupportedMediaType(accepted(definition));
  const text = await readText(exchange);
  const parsed = type === 'application/json' ? parseJson(text) : parseYaml(text);
  if ('error' in parsed) {
    throw unrecognized(definition.kind, `couldn't get version/kind; json parse error: ${parsed.error} (${text.slice(0, 100)})`);
  }
  if (!isRecord(parsed.value))
    throw unrecognized(definition.kind, "couldn't get version/kind; json parse error: cannot unmarshal into an object");
  return typed(call, parsed.value, text);
}

/** Throws a StatusError 400 unless the object says that it is what the path is about. */
export function typed({ definition, apiVersion }: ResourceCall, value: Record<string, unknown>, text: string): KubeObject {
  const { kind } = definition;
  const given = { apiVersion: value.apiVersion || undefined, kind: value.kind || undefined };
  // Built-in types have Go structs to fall back on.
  if (definition.custom && given.kind === undefined)
    throw unrecognized(kind, `Object 'Kind' is missing in '${text.slice(0, 100)}'`);
  if (definition.custom && given.apiVersion === undefined) {
    throw unrecognized(kind, `Object 'apiVersion' is missing in '${text.slice(0, 100)}'`);
  }
  if (given.apiVersion !== undefined && given.apiVersion !== apiVersion) {
    const versions = `(${String(given.apiVersion)}) does not match the expected API version (${apiVersion})`;
    throw badRequest(`the API version in the data ${versions}`);
  }
  if (given.kind !== undefined && given.kind !== kind) {
    throw badRequest(`${String(given.kind)} in version "${apiVersion}" cannot be handled as a ${kind}`);
  }
  const cannot = `${kind} in version "${apiVersion}" cannot be handled as a ${kind}: json: cannot unmarshal`;
  const metadata = value.metadata ?? {};
  if (!isRecord(metadata)) throw badRequest(`${cannot} into Go value of type v1.ObjectMeta`);
  const wrong = METADATA_TYPES.find(({ field, fits }) => !fits(metadata[field] ?? undefined));
  if (wrong !== undefined)
    throw badRequest(`${cannot} into Go struct field ObjectMeta.metadata.${wrong.field} of type ${wrong.type}`);
  return { ...value, apiVersion, kind, metadata };
}

const isString = (value: unknown): boolean => value === undefined || typeof value === 'string';
const isStringMap = (value: unknown): boolean =>
  value === undefined || (isRecord(value) && Object.values(value).every(one => typeof one === 'string'));
const isStringList = (value: unknown): boolean =>
  value === undefined || (Array.isArray(value) && value.every(one => typeof one === 'string'));

/** What would not fit `ObjectMeta`, and would break those who read it. */
const METADATA_TYPES: readonly { readonly field: string; readonly type: string; readonly fits: (value: unknown) => boolean }[] = [
  ...['name', 'namespace', 'generateName', 'uid', 'resourceVersion'].map(field => ({ field, type: 'string', fits: isString })),
  ...['labels', 'annotations'].map(field => ({ field, type: 'map[string]string', fits: isStringMap })),
  { field: 'finalizers', type: '[]string', fits: isStringList },
];
