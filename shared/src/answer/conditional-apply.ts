import { YAML_MEDIA_TYPE } from '../kube/media-type.ts';
import type { ObjectMetaChanges } from '../kube/protobuf-edit.ts';
import { parseBodyText, unrecognized } from '../kube/request-body-text.ts';

/**
 * The body of a server-side apply with `changes` put on its metadata. One that says a uid makes no object, and one that says a
 * resourceVersion changes no other state than that. It becomes JSON, which is YAML. Throws a StatusError 400 for what is no object.
 *
 * A shard reads YAML otherwise than we do (merge keys, what ends a line): where what an apply comes to is inspected, this is its body from
 * the beginning.
 */
export function conditionalApply(body: Uint8Array, kind: string, { labels = {}, ...texts }: ObjectMetaChanges): Buffer {
  const parsed = parseBodyText(YAML_MEDIA_TYPE, body);
  if ('error' in parsed) throw unrecognized(kind, parsed.error, body);
  const given = record(parsed.object.metadata);
  const added = Object.keys(labels).length > 0 ? { labels: { ...record(given.labels), ...labels } } : {};
  return printApply({ ...parsed.object, metadata: { ...given, ...texts, ...added } });
}

/** The body of an apply: JSON that is YAML, too. */
export const printApply = (applied: object): Buffer =>
  Buffer.from(
    JSON.stringify(applied).replace(NOT_AS_IT_IS, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );

/** In a text of JSON these are characters like others. In YAML they end its line, or may not be. */
const NOT_AS_IT_IS = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** What is no map there is nothing that a shard would take. */
const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
